import ipaddr from "ipaddr.js";

/** Returns the number of addresses in a CIDR, a range `FIRST-LAST` or a single address. @throws for any other text */
export function countAddresses(range: string): bigint {
  if (range.includes("/")) {
    const [address, length] = ipaddr.parseCIDR(range);
    return 2n ** BigInt((address.kind() === "ipv4" ? 32 : 128) - length);
  }
  const [first = "", last = first] = range.split("-").map((part) => part.trim());
  const size = parseAddressValue(last) - parseAddressValue(first) + 1n;
  if (size < 1n) throw new Error(`invalid range "${range}": the last address is before the first`);
  return size;
}

function parseAddressValue(address: string): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}
