import type { Packet } from "../../packet.ts";

/** Protocol numbers by the names that iptables, ipset and nft print (/etc/protocols). */
const PROTOCOL_NUMBERS: ReadonlyMap<string, number> = new Map([
  ["ip", 0],
  ["hopopt", 0],
  ["icmp", 1],
  ["igmp", 2],
  ["ipencap", 4],
  ["ipip", 4],
  ["tcp", 6],
  ["udp", 17],
  ["dccp", 33],
  ["ipv6", 41],
  ["gre", 47],
  ["esp", 50],
  ["ah", 51],
  ["icmpv6", 58],
  ["ipv6-icmp", 58],
  ["ospf", 89],
  ["vrrp", 112],
  ["sctp", 132],
  ["udplite", 136],
]);

/** Returns the number of a packet's transport protocol. */
export function findProtocolNumber({ protocol, family }: Packet): number {
  if (protocol === "icmp") return family === "ipv4" ? 1 : 58;
  return protocol === "tcp" ? 6 : 17;
}

/**
 * Parses a protocol's name or number.
 *
 * @throws if the name is unknown
 */
export function parseProtocol(text: string): number {
  const number = PROTOCOL_NUMBERS.get(text) ?? Number(text);
  if (Number.isNaN(number)) throw new Error(`protocol ${text}`);
  return number;
}
