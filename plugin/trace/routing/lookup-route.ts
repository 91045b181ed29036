import type { NexthopSnapshot, RouteSnapshot, RuleSnapshot } from "../snapshot.ts";
import { formatRoute, formatRule } from "./format-route.ts";
import { containsAddress, isLinkLocal, isMulticast, maskAddress, parseAddress } from "./ip-number.ts";
import { type NamespaceState, readLinkSysctl, type RoutingTable } from "./namespace-state.ts";
import type { RouteQuery, RouteResult } from "./route-query.ts";

/** Greatest size of a namespace's cache. */
const MOST_CACHED = 10_000;

/** Looks up a destination by the policy rules, as `fib_lookup` does. Results are cached. */
export function lookupRoute(state: NamespaceState, query: RouteQuery): RouteResult {
  const { cachedRoutes } = state;
  const key = formatKey(query);
  const cached = cachedRoutes.get(key);
  if (cached !== undefined) return cached;
  const result = findByRules(state, query);
  if (cachedRoutes.size >= MOST_CACHED) cachedRoutes.clear();
  cachedRoutes.set(key, result);
  return result;
}

function formatKey(query: RouteQuery): string {
  const { destination, source, mark, inLink, outLink, protocol, sourcePort, destinationPort } = query;
  return `${destination} ${source ?? ""} ${mark} ${inLink} ${outLink ?? ""} ${protocol ?? ""} ${sourcePort ?? ""} ${destinationPort ?? ""}`;
}

function findByRules(state: NamespaceState, query: RouteQuery): RouteResult {
  const rules = state.rules[query.family];
  let from = 0;
  for (const rule of rules) {
    if (rule.priority < from || !matchesRule(rule, query)) continue;
    if (rule.unknown.length > 0) return { kind: "unknown", text: formatRule(rule) };
    switch (rule.action) {
      case "nop":
        continue;
      case "goto":
        from = rule.goto ?? 0;
        continue;
      case "blackhole":
      case "unreachable":
      case "prohibit":
        return { kind: "reject", type: rule.action, text: formatRule(rule) };
      case "table": {
        const result = lookupTable(state, rule, query);
        if (result !== undefined) return result;
      }
    }
  }
  return { kind: "none" };
}

function matchesRule(rule: RuleSnapshot, query: RouteQuery): boolean {
  if (rule.inLink !== undefined && rule.inLink !== query.inLink) return false;
  if (rule.outLink !== undefined && rule.outLink !== query.outLink) return false;
  return matchesSelector(rule, query) !== rule.not;
}

function matchesSelector(rule: RuleSnapshot, query: RouteQuery): boolean {
  const { mark } = rule;
  return (
    (mark === undefined || ((query.mark ^ mark.value) & mark.mask) === 0) &&
    (rule.to === undefined || containsAddress(rule.to, query.destination)) &&
    (rule.from === undefined || matchesSource(rule.from, query.source)) &&
    (rule.tos === undefined || rule.tos === 0) &&
    (rule.ipProtocol === undefined || rule.ipProtocol === query.protocol) &&
    isInRange(rule.sourcePort, query.sourcePort) &&
    isInRange(rule.destinationPort, query.destinationPort)
  );
}

/** Reports whether a source is in a network; a source that is not selected yet is only in the network of all addresses. */
function matchesSource(network: string, source: string | undefined): boolean {
  return source === undefined ? network.endsWith("/0") : containsAddress(network, source);
}

function isInRange(range: readonly [number, number] | undefined, port: number | undefined): boolean {
  return range === undefined || (port !== undefined && port >= range[0] && port <= range[1]);
}

/** Looks up the table of a rule; undefined if the next rule is evaluated. */
function lookupTable(state: NamespaceState, rule: RuleSnapshot, query: RouteQuery): RouteResult | undefined {
  const table = rule.table === undefined ? undefined : state.tables[query.family].get(rule.table);
  const match = table && findRoute(state, table, query);
  if (match === undefined) return undefined;
  const { route, nexthops } = match;
  switch (route.type) {
    case "throw":
      return undefined;
    case "blackhole":
    case "unreachable":
    case "prohibit":
      return { kind: "reject", type: route.type, text: formatRoute(route) };
    default: {
      const length = Number(route.destination.split("/")[1]);
      if (rule.suppressPrefixLength !== undefined && length <= rule.suppressPrefixLength) return undefined;
      return { kind: "route", route, nexthops, rule };
    }
  }
}

function findRoute(
  state: NamespaceState,
  table: RoutingTable,
  query: RouteQuery,
): { readonly route: RouteSnapshot; readonly nexthops: readonly NexthopSnapshot[] } | undefined {
  const destination = parseAddress(query.destination);
  const link = needsLink(query) ? (query.outLink ?? (query.inLink === "lo" ? undefined : query.inLink)) : query.outLink;
  for (const [length, routes] of table) {
    for (const route of routes.get(maskAddress(destination, query.family, length)) ?? []) {
      if (route.tos !== 0) continue;
      if (route.from !== undefined && !matchesSource(route.from, query.source)) continue;
      if (route.nexthops.length === 0) return { route, nexthops: [] };
      const nexthops = route.nexthops.filter((nexthop) => isUsable(state, route, nexthop, link));
      if (nexthops.length > 0) return { route, nexthops };
    }
  }
  return undefined;
}

/** Reports whether a destination is looked up on a link: IPv6 link-local and multicast are (rt6_need_strict). */
function needsLink({ family, destination }: RouteQuery): boolean {
  return family === "ipv6" && (isLinkLocal(destination) || isMulticast(destination));
}

function isUsable(
  state: NamespaceState,
  route: RouteSnapshot,
  nexthop: NexthopSnapshot,
  link: string | undefined,
): boolean {
  if (link !== undefined && nexthop.link !== link) return false;
  if (nexthop.flags.includes("dead")) return false;
  return !(
    nexthop.flags.includes("linkdown") &&
    nexthop.link !== undefined &&
    readLinkSysctl(state, route.family, nexthop.link, "ignore_routes_with_linkdown") !== 0
  );
}
