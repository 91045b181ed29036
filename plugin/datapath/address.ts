import { isIPv4 } from "node:net";
import ipaddr from "ipaddr.js";

declare const checked: unique symbol;
/** An IPv4 or IPv6 address in its canonical text. */
export type Ip = string & { readonly [checked]: "Ip" };
/** A network in CIDR notation: canonical text, host bits zero. */
export type Cidr = string & { readonly [checked]: "Cidr" };

export type Family = "ipv4" | "ipv6";

/** Parses an IP address into its canonical form. Throws on invalid text. */
export function parseIp(text: string): Ip {
  if (isIPv4(text)) return text as Ip;
  if (!ipaddr.IPv6.isValid(text)) throw new Error(`invalid IP address "${text}"`);
  return ipaddr.parse(text).toString() as Ip;
}

/** Parses a network; clears the host bits: 10.7.168.71/16 becomes 10.7.0.0/16. Throws on invalid text. */
export function parseCidr(text: string): Cidr {
  if (!ipaddr.isValidCIDR(text)) throw new Error(`invalid CIDR "${text}"`);
  const [address, length] = ipaddr.parseCIDR(text);
  const network =
    address.kind() === "ipv4" ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text);
  return `${network.toString()}/${length}` as Cidr;
}

/** Parses an address with a prefix length, the form of `ips[].address` in CNI results. @throws on invalid text */
export function parseInterfaceAddress(text: string): { readonly ip: Ip; readonly network: Cidr } {
  return { ip: parseIp(text.split("/")[0] ?? ""), network: parseCidr(text) };
}

/** Returns the family of an address or a network. */
export function getFamily(address: Ip | Cidr): Family {
  return address.includes(":") ? "ipv6" : "ipv4";
}

/** Returns the /32 or /128 network of an address. */
export function hostCidr(ip: Ip): Cidr {
  return `${ip}/${getFamily(ip) === "ipv4" ? 32 : 128}` as Cidr;
}

/** Reports whether the network contains the address; false for another family. */
export function containsIp(network: Cidr, ip: Ip): boolean {
  const address = ipaddr.parse(ip);
  const [base, length] = ipaddr.parseCIDR(network);
  return address.kind() === base.kind() && address.match(base, length);
}

/** Reports whether `network` contains every address of `inner`. */
export function containsNetwork(network: Cidr, inner: Cidr): boolean {
  const [base, length] = ipaddr.parseCIDR(network);
  const [address, otherLength] = ipaddr.parseCIDR(inner);
  return address.kind() === base.kind() && otherLength >= length && address.match(base, length);
}

/** Removes duplicates, and networks that another network contains. */
export function removeNestedCidrs(networks: readonly Cidr[]): readonly Cidr[] {
  const parsed = [...new Set(networks)].map((cidr) => ({ cidr, range: ipaddr.parseCIDR(cidr) }));
  return parsed
    .filter(({ cidr, range: [address, length] }) =>
      parsed.every(
        ({ cidr: other, range: [base, shorter] }) =>
          other === cidr || shorter > length || base.kind() !== address.kind() || !address.match(base, shorter),
      ),
    )
    .map(({ cidr }) => cidr);
}
