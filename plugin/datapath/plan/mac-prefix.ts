import { encodeIp, decodeMac } from "../../netlink/ip.ts";
import type { Ip } from "../address.ts";
import type { MacItem } from "../plan-item.ts";

/** Matches the first two bytes of a unicast MAC address. */
const PREFIX = /^[0-9a-f][02468ace]:[0-9a-f]{2}$/;

/** Reports whether the text is the first two bytes of a MAC address. */
export function isMacPrefix(text: string): boolean {
  return PREFIX.test(text);
}

/** Builds a MAC from the prefix and the last four bytes of the address; it is the same on every node. */
export function buildMac(prefix: string, address: Ip): string {
  return `${prefix}:${decodeMac(encodeIp(address).subarray(-4))}`;
}

/** Plans the NIC's MAC address from the prefix; empty without a prefix or an address. */
export function planMac(prefix: string | undefined, device: string, address: Ip | undefined): readonly MacItem[] {
  if (prefix === undefined || address === undefined) return [];
  const reason = "configured: the network's MAC prefix and the pod's address";
  return [{ kind: "mac", where: "pod", device, mac: buildMac(prefix, address), reason }];
}
