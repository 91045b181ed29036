import { getFamily, type Ip, parseIp } from "../../datapath/address.ts";

/** Returns the UnderlayAddress name of an address, a DNS label: IPv4 unchanged, IPv6 with all groups, so that each address has one name. */
export function toObjectName(ip: Ip): string {
  if (getFamily(ip) === "ipv4") return ip;
  return `v6-${expandGroups(parseIp(ip)).join("-")}`;
}

function expandGroups(ip: Ip): readonly string[] {
  const [head = "", tail] = ip.split("::");
  const split = (text: string): readonly string[] => (text === "" ? [] : text.split(":"));
  if (tail === undefined) return split(head);
  const missing = 8 - split(head).length - split(tail).length;
  return [...split(head), ...Array.from({ length: missing }, () => "0"), ...split(tail)];
}
