import type { AddressSnapshot, NexthopSnapshot, RouteSnapshot } from "../snapshot.ts";
import { containsAddress, countCommonBits, isLinkLocal, isLoopback } from "./ip-number.ts";
import type { NamespaceState } from "./namespace-state.ts";

/** rt_scope_t of an address. */
const SCOPE: Readonly<Record<string, number>> = { global: 0, site: 200, link: 253, host: 254 };
const getScope = ({ scope }: AddressSnapshot): number => SCOPE[scope] ?? 0;

/**
 * Selects the source address of packets that the namespace sends by a route: the route's preferred source, else an address of the
 * link (IPv4: `inet_select_addr`, IPv6: RFC 6724).
 *
 * @returns undefined if the namespace has none
 */
export function selectSource(
  state: NamespaceState,
  route: RouteSnapshot,
  nexthop: NexthopSnapshot | undefined,
  destination: string,
): string | undefined {
  if (route.source !== undefined) return route.source;
  if (route.type === "local" && route.family === "ipv4" && isLoopback(destination)) return destination;
  const link = nexthop?.link;
  return route.family === "ipv4"
    ? selectIpv4Source(state, link, nexthop?.gateway, route.scope)
    : selectIpv6Source(state, route.type === "local" ? "lo" : link, destination);
}

/**
 * Selects an IPv4 address as `inet_select_addr` does: the first primary address of the link whose network contains `near`,
 * else the first of the link, else one of another link.
 *
 * @param near gateway or destination
 * @param scope greatest rt_scope_t of the address
 */
export function selectIpv4Source(
  { addresses }: NamespaceState,
  link: string | undefined,
  near: string | undefined,
  scope: number,
): string | undefined {
  const primary = addresses.filter(
    (address) => address.family === "ipv4" && !address.flags.includes("secondary") && getScope(address) <= scope,
  );
  const onLink = primary.filter((address) => address.link === link);
  const containing =
    near === undefined
      ? undefined
      : onLink.find((address) => containsAddress(`${address.address}/${address.prefixLength}`, near));
  return (containing ?? onLink[0] ?? primary.find((address) => address.scope !== "link"))?.address;
}

/** Prefixes and labels of the default policy table of RFC 6724, without deprecated prefixes. */
const LABELS = [
  ["::1/128", 0],
  ["::ffff:0:0/96", 4],
  ["2002::/16", 2],
  ["2001::/32", 5],
  ["fc00::/7", 13],
  ["::/0", 1],
] as const;

function getLabel(address: string): number {
  return LABELS.find(([network]) => containsAddress(network, address))?.[1] ?? 1;
}

/** Selects an IPv6 source address by the rules 1, 2, 3, 5, 6 and 8 of RFC 6724. */
export function selectIpv6Source(
  { addresses }: NamespaceState,
  link: string | undefined,
  destination: string,
): string | undefined {
  const linkLocal = isLinkLocal(destination);
  const candidates = addresses.filter(
    (address) =>
      address.family === "ipv6" &&
      !address.flags.some((flag) => flag === "tentative" || flag === "dadfailed") &&
      (!isLinkLocal(address.address) || address.link === link) &&
      (!linkLocal || address.link === link),
  );
  const rank = (address: AddressSnapshot): readonly number[] => [
    Number(address.address === destination),
    Number(isLinkLocal(address.address) === linkLocal && address.scope !== "host"),
    Number(!address.flags.includes("deprecated")),
    Number(address.link === link),
    Number(getLabel(address.address) === getLabel(destination)),
    Math.min(countCommonBits(address.address, destination), address.prefixLength),
  ];
  const [best] = candidates
    .map((address) => ({ own: address, rank: rank(address) }))
    .sort((a, b) => compareRanks(b.rank, a.rank));
  return best?.own.address;
}

function compareRanks(first: readonly number[], second: readonly number[]): number {
  for (const [index, value] of first.entries()) {
    const difference = value - (second[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
