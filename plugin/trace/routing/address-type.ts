import type { AddressType, FibQuery } from "../hook.ts";
import { getTextFamily, isMulticast, maskAddress, parseAddress } from "./ip-number.ts";
import { lookupRoute } from "./lookup-route.ts";
import { type NamespaceState, TABLE } from "./namespace-state.ts";

/**
 * Finds the type of an address as `addrtype` and `fib … type` do: only by the local table in IPv4 (`inet_dev_addr_type`), by a
 * route lookup in IPv6.
 */
export function findAddressType(state: NamespaceState, { address, outLink }: FibQuery): AddressType {
  if (isMulticast(address)) return "multicast";
  if (getTextFamily(address) === "ipv4") return findIpv4Type(state, address, outLink);
  const result = lookupRoute(state, { family: "ipv6", destination: address, mark: 0, inLink: "lo", outLink });
  if (result.kind !== "route") return "unreachable";
  return result.route.type === "local" || result.route.type === "anycast" ? result.route.type : "unicast";
}

function findIpv4Type(state: NamespaceState, address: string, link: string | undefined): AddressType {
  const number = parseAddress(address);
  if (number === 0n || number === 0xffffffffn) return "broadcast";
  for (const [length, routes] of state.tables.ipv4.get(TABLE.local) ?? []) {
    const route = routes.get(maskAddress(number, "ipv4", length))?.[0];
    if (route === undefined) continue;
    if (link !== undefined && !route.nexthops.some((nexthop) => nexthop.link === link)) return "unicast";
    return route.type === "nat" ? "unspec" : route.type;
  }
  return "unicast";
}

/** Finds the link of the route to an address, as `rpfilter` and `fib … oif` do; undefined without a unicast route. */
export function findRouteLink(state: NamespaceState, query: FibQuery): string | undefined {
  const result = lookupRoute(state, {
    family: getTextFamily(query.address),
    destination: query.address,
    source: query.source,
    mark: query.mark ?? 0,
    inLink: "lo",
  });
  if (result.kind !== "route" || result.route.type !== "unicast") return undefined;
  const links = result.nexthops.map(({ link }) => link);
  return query.outLink === undefined ? links[0] : links.find((link) => link === query.outLink);
}
