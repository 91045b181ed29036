import { type Family } from "../../datapath/address.ts";
import { type AddressRange, AddressSpace, parseRange, mergeRanges } from "../pool/address-space.ts";

const IP_ANNOTATION = "interlay.dev/ip";
/** Possible names of a pod's first underlay NIC; the annotation without an interface name is for it. */
const FIRST_UNDERLAY = ["eth0", "net1"];

/**
 * Parses the addresses that a pod requests for a NIC. `interlay.dev/ip.net2` is for net2; `interlay.dev/ip` is for eth0 and net1
 * without an annotation of their own.
 *
 * @returns undefined if the pod requests no address
 * @throws if an annotation is not a list of addresses, ranges or networks
 */
export function parseRequestedAddresses(
  annotations: Readonly<Record<string, string>>,
  ifname: string,
): ReadonlyMap<Family, AddressSpace> | undefined {
  const text =
    annotations[`${IP_ANNOTATION}.${ifname}`] ??
    (FIRST_UNDERLAY.includes(ifname) ? annotations[IP_ANNOTATION] : undefined);
  const parts = (text ?? "").split(/[\s,]+/).filter((part) => part !== "");
  if (parts.length === 0) return undefined;
  const byFamily = new Map<Family, AddressRange[]>();
  for (const part of parts) {
    const family: Family = part.includes(":") ? "ipv6" : "ipv4";
    byFamily.set(family, [...(byFamily.get(family) ?? []), parseRange(part)]);
  }
  return new Map([...byFamily].map(([family, ranges]) => [family, new AddressSpace(family, mergeRanges(ranges))]));
}
