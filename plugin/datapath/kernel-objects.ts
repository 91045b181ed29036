import { parsePrefix } from "../netlink/ip.ts";
import { type Route, SCOPE } from "../netlink/route.ts";
import type { Rule } from "../netlink/rule.ts";
import { hostCidr } from "./address.ts";
import type { RouteItem, RuleItem } from "./plan-item.ts";

/**
 * rtm_protocol of Interlay's routes on the node: only routes with this protocol are repaired and removed. In the pod, routes have
 * the protocol "boot" like those of other CNI plugins: `ip route` does not print it.
 */
export const NODE_ROUTE_PROTOCOL = 105;
/** rtm_protocol of routes that the kernel creates with an address. */
export const RTPROT_KERNEL = 2;
const RTPROT_BOOT = 3;
/** IP6_RT_PRIO_ADDRCONF of linux/ipv6_route.h: the metric of the kernel's own connected routes. */
const IPV6_CONNECTED_METRIC = 256;
const ALL_BITS = 0xffffffff;

/** Converts a route of a plan to the kernel's form. @param link index of its link */
export function toKernelRoute(item: RouteItem, link: number): Route {
  return {
    family: item.family,
    destination: item.destination === "default" ? undefined : parsePrefix(item.destination),
    gateway: item.gateway,
    link,
    source: item.source,
    table: item.table,
    // IPv6 routes have no scope; the kernel ignores this value
    scope: item.gateway === undefined ? SCOPE.link : SCOPE.universe,
    protocol: item.connected === true ? RTPROT_KERNEL : item.where === "node" ? NODE_ROUTE_PROTOCOL : RTPROT_BOOT,
    ...(item.connected === true && item.family === "ipv6" ? { metric: IPV6_CONNECTED_METRIC } : {}),
    ...(item.onlink === true ? { onlink: true } : {}),
  };
}

/** Converts a policy rule of a plan to the kernel's form. */
export function toKernelRule(item: RuleItem): Rule {
  return {
    family: item.family,
    priority: item.priority,
    table: item.table,
    from: item.from === undefined ? undefined : parsePrefix(hostCidr(item.from)),
    fwmark: item.mark === undefined ? undefined : { mark: item.mark, mask: item.mask ?? ALL_BITS },
    protocol: RTPROT_BOOT,
  };
}
