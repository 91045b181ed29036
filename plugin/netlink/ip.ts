/** Converts addresses between text and the bytes in network order that netlink uses. */
import ipaddr from "ipaddr.js";

export type AddressFamily = "ipv4" | "ipv6";

/** AF_INET, AF_INET6 of linux/socket.h. */
export const AF = { ipv4: 2, ipv6: 10 } as const;

/** Returns the family of an AF_ number; undefined if it is neither AF_INET nor AF_INET6. */
export function toAddressFamily(afNumber: number): AddressFamily | undefined {
  return afNumber === AF.ipv4 ? "ipv4" : afNumber === AF.ipv6 ? "ipv6" : undefined;
}

/** Returns the 4 or 16 bytes of an address, in network byte order. */
export function encodeIp(address: string): Buffer {
  return Buffer.from(ipaddr.parse(address).toByteArray());
}

/** Returns the text of 4 or 16 bytes: the reverse of `encodeIp`. */
export function decodeIp(bytes: Buffer): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}

/** Returns the six bytes of `aa:bb:cc:dd:ee:ff`. */
export function encodeMac(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(":", ""), "hex");
}

/** Returns the text of six bytes: the reverse of `encodeMac`. */
export function decodeMac(bytes: Buffer): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Destination of a route, or selector of a rule. An undefined prefix means all addresses (`default`). */
export interface Prefix {
  readonly address: string;
  readonly length: number;
}

/** Parses a CIDR like `10.0.0.0/8`. @throws if it is invalid */
export function parsePrefix(cidr: string): Prefix {
  const [address, length] = ipaddr.parseCIDR(cidr);
  return { address: address.toString(), length };
}

/** Returns the CIDR of a prefix. */
export function formatPrefix({ address, length }: Prefix): string {
  return `${address}/${length}`;
}
