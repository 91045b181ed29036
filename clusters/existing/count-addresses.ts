import ipaddr from "ipaddr.js";

/** How many addresses a CIDR, `first-last` or single address holds. Throws on what is none. */
export function countAddresses(range: string): bigint {
  if (range.includes("/")) {
    const [address, length] = ipaddr.parseCIDR(range);
    return 2n ** BigInt((address.kind() === "ipv4" ? 32 : 128) - length);
  }
  const [first = "", last = first] = range.split("-").map((part) => part.trim());
  const size = parseAddressValue(last) - parseAddressValue(first) + 1n;
  if (size < 1n) throw new Error(`"${range}" ends before it begins.`);
  return size;
}

function parseAddressValue(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}
