import type { Family } from "../address.ts";
import { buildNodeLinkName, POD_LINK, buildStableMac } from "../names.ts";
import type { PlanItem, Where } from "../plan-item.ts";
import { planSysctl } from "./plan-sysctl.ts";

/** The veth pair between a pod and its node. */
export interface Pair {
  readonly node: { readonly name: string; readonly mac: string };
  readonly pod: { readonly name: string; readonly mac: string };
}

/** Builds names and MAC addresses of the veth pair, the same at each call for a NIC. */
export function buildPair(containerId: string, ifname: string): Pair {
  return {
    node: { name: buildNodeLinkName(containerId, ifname), mac: buildStableMac(containerId, ifname, "node") },
    pod: { name: POD_LINK, mac: buildStableMac(containerId, ifname, "pod") },
  };
}

/** RFC 3704 loose mode. The kernel uses the greater of the values of `all` and of the link, so `all` need not be changed. */
const LOOSE = "2";

/**
 * Plans the pair: it is created down, and its sysctls are set before it comes up.
 *
 * @param podNic the pod's underlay link, whose reverse path filter is set
 * @param link MTU in bytes and transmit queue length in packets
 */
export function planPair(
  pair: Pair,
  podNic: string,
  families: readonly Family[],
  link: { readonly mtu: number; readonly txQueueLength?: number },
): readonly PlanItem[] {
  return [
    {
      kind: "veth",
      ...pair,
      ...link,
      reason: "a macvlan child cannot talk to its parent's host: the pod reaches its node by a pair of its own",
    },
    ...(families.includes("ipv4") ? planIpv4Sysctls(pair, podNic) : []),
    ...(families.includes("ipv6") ? planIpv6Sysctls(pair) : []),
    {
      kind: "source-guard",
      where: "node",
      device: pair.node.name,
      reason: "a pod sends from its own addresses only",
    },
    { kind: "up", where: "node", device: pair.node.name, reason: "the pair is used" },
    { kind: "up", where: "pod", device: pair.pod.name, reason: "the pair is used" },
  ];
}

function planIpv4Sysctls({ node, pod }: Pair, podNic: string): readonly PlanItem[] {
  return [
    planSysctl("node", ["ipv4", "conf", node.name, "forwarding"], "1", "the node routes for the pod"),
    planSysctl(
      "pod",
      ["ipv4", "conf", podNic, "rp_filter"],
      LOOSE,
      "RFC 3704: what leaves by one of the pod's links may be answered by another",
    ),
    planSysctl(
      "pod",
      ["ipv4", "conf", pod.name, "src_valid_mark"],
      "1",
      "on a link without an address even loose filtering drops foreign sources: the mark finds the route by which they came, so 0, 1 and 2 all pass",
    ),
  ];
}

/** Plans the pair's IPv6 sysctls. Both ends are known, so DAD is off, which RFC 4862, section 5.4, permits. */
function planIpv6Sysctls({ node, pod }: Pair): readonly PlanItem[] {
  const planEnd = (where: Where, name: string) => [
    planSysctl(
      where,
      ["ipv6", "conf", name, "disable_ipv6"],
      "0",
      "the pair carries IPv6 even if the default of new links disables it",
    ),
    planSysctl(where, ["ipv6", "conf", name, "accept_dad"], "0", "the pair is used at once: nobody else is on it"),
    planSysctl(where, ["ipv6", "conf", name, "accept_ra"], "0", "neither end accepts routes from the other"),
  ];
  return [...planEnd("node", node.name), ...planEnd("pod", pod.name)];
}
