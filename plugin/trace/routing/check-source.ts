import type { Packet } from "../packet.ts";
import { formatRoute } from "./format-route.ts";
import { isLoopback } from "./ip-number.ts";
import { lookupRoute } from "./lookup-route.ts";
import type { RouteQuery } from "./route-query.ts";
import { hasAddress, type NamespaceState, readLinkSysctl } from "./namespace-state.ts";

/** Reason why the kernel drops a packet because of its source. */
export interface SourceProblem {
  readonly kind: "martian" | "reverse-path-filter";
  /** One sentence that names the sysctl and the route. */
  readonly text: string;
}

type Received = Pick<
  Packet,
  "family" | "source" | "destination" | "mark" | "protocol" | "sourcePort" | "destinationPort"
>;

/**
 * Checks the source of a received IPv4 packet as `fib_validate_source` does. IPv6 has no such check in the kernel.
 *
 * @param link link by which the packet arrived
 * @returns undefined if the packet passes
 */
export function checkSource(state: NamespaceState, packet: Received, link: string): SourceProblem | undefined {
  if (packet.family === "ipv6" || link === "lo") return undefined;
  const createMartian = (text: string): SourceProblem => ({ kind: "martian", text });
  const loopback = [packet.source, packet.destination].find(isLoopback);
  if (loopback !== undefined && readLinkSysctl(state, "ipv4", link, "route_localnet") === 0)
    return createMartian(`${loopback} came in by ${link}, and net.ipv4.conf.${link}.route_localnet is 0`);
  const filter = readLinkSysctl(state, "ipv4", link, "rp_filter");
  const acceptsLocal = readLinkSysctl(state, "ipv4", link, "accept_local") !== 0;
  if (filter === 0 && acceptsLocal) return undefined;
  if (filter === 0 && !state.checksSourcesByLookup)
    return hasAddress(state, packet.source)
      ? createMartian(`${packet.source} came in by ${link}, but is an address of this namespace`)
      : undefined;
  return checkByLookup(state, packet, link, filter, acceptsLocal);
}

function checkByLookup(
  state: NamespaceState,
  packet: Received,
  link: string,
  filter: number,
  acceptsLocal: boolean,
): SourceProblem | undefined {
  const query: RouteQuery = {
    family: packet.family,
    destination: packet.source,
    source: packet.destination,
    mark: readLinkSysctl(state, "ipv4", link, "src_valid_mark") === 0 ? 0 : packet.mark,
    inLink: "lo",
    protocol: packet.protocol,
    sourcePort: packet.destinationPort,
    destinationPort: packet.sourcePort,
  };
  const refuse = (why: string): SourceProblem => ({
    kind: "reverse-path-filter",
    text: `rp_filter=${filter} on ${link} drops packets from ${packet.source}: ${why}`,
  });
  const result = lookupRoute(state, query);
  if (result.kind !== "route") return filter === 0 ? undefined : refuse("no route leads back");
  const { route, nexthops } = result;
  if (route.type !== "unicast" && !(route.type === "local" && acceptsLocal))
    return { kind: "martian", text: `${packet.source} came in by ${link}, but is a ${route.type} address here` };
  if (nexthops.some((nexthop) => nexthop.link === link)) return undefined;
  const hasAddresses = state.addresses.some((address) => address.family === "ipv4" && address.link === link);
  const why = `the route back is ${formatRoute(route, nexthops[0])}`;
  if (!hasAddresses) return filter === 0 ? undefined : refuse(`${why}, and ${link} has no address`);
  if (filter === 1) return refuse(why);
  // Loose: the lookup by this link alone decides only about local destinations, which the first lookup excluded.
  return undefined;
}
