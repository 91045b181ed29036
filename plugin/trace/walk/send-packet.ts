import type { Packet } from "../packet.ts";
import { formatRoute, formatRule } from "../routing/format-route.ts";
import { lookupRoute } from "../routing/lookup-route.ts";
import type { RouteResult } from "../routing/route-query.ts";
import { selectSource } from "../routing/select-source.ts";
import type { NexthopSnapshot } from "../snapshot.ts";
import { losePacket } from "./failure.ts";
import { runHook } from "./run-hook.ts";
import type { NamespaceModel } from "./build-trace-model.ts";
import type { Transmission } from "./transmit.ts";
import type { WalkState } from "./walk-state.ts";

/** Parameters of a socket's route lookup. */
export interface RouteChoice {
  /** Source address of the lookup; undefined if the socket has none yet. */
  readonly source: string | undefined;
  /** Whether the route is looked up again with the selected source (`ip_route_connect` of IPv4). */
  readonly repeatsLookup?: boolean;
  /** Link to which the socket is bound. */
  readonly link?: string | undefined;
  /** Port of the destination to which the program first connects a UDP socket, to learn its own address (ping of iputils). */
  readonly udpPort?: number;
}

type FoundRoute = Extract<RouteResult, { readonly kind: "route" }>;

/**
 * Sends a locally generated packet: route, source address, hooks output and postrouting.
 *
 * @param draft packet; its source is ignored if the choice has none
 * @returns the packet at its link, the source with which it left its socket, and the MTU of its route
 * @throws PacketLost
 */
export function sendPacket(
  walk: WalkState,
  namespace: NamespaceModel,
  draft: Packet,
  choice: RouteChoice,
): Transmission & { readonly source: string; readonly mtu: number } {
  walk.startHop(namespace, undefined, draft);
  if (choice.udpPort !== undefined)
    findOutputRoute(
      namespace,
      { ...draft, protocol: "udp", destinationPort: choice.udpPort },
      choice.source,
      choice.link,
    );
  let route = findOutputRoute(namespace, draft, choice.source, choice.link);
  let nexthop = chooseNexthop(walk, route);
  const source = choice.source ?? selectSource(namespace.state, route.route, nexthop, draft.destination);
  if (source === undefined)
    throw losePacket(
      "reject",
      "no-source-address",
      namespace.state.snapshot.id,
      `no source address for ${formatRoute(route.route, nexthop)}`,
    );
  if (choice.repeatsLookup === true && choice.source === undefined) {
    route = findOutputRoute(namespace, draft, source, choice.link);
    nexthop = chooseNexthop(walk, route);
  }
  noteRoute(walk, route, nexthop);
  const outLink = getOutLink(route, nexthop);
  const mtu = findMtu(namespace, route, outLink);
  const packet: Packet = { ...fitPacket(draft, mtu), source, outLink };
  walk.recordSent(packet);
  walk.record(packet, packet.outLink);
  const passed = runHook(walk, namespace, "output", packet, nexthop?.gateway);
  const routed = reroute(walk, namespace, packet, passed, { route, nexthop }, choice.link);
  return { ...passPostrouting(walk, namespace, routed), source, mtu };
}

/** A packet with its route. */
interface Routed {
  readonly packet: Packet;
  readonly nexthop: NexthopSnapshot | undefined;
}

/** Passes the hook postrouting and hands the packet to its link. */
export function passPostrouting(walk: WalkState, namespace: NamespaceModel, { packet, nexthop }: Routed): Transmission {
  const passed = runHook(walk, namespace, "postrouting", packet, nexthop?.gateway);
  return {
    namespace,
    link: passed.outLink ?? "lo",
    neighbour: nexthop?.gateway ?? passed.destination,
    packet: passed,
  };
}

/** Looks up the route again if the hook output changed mark, source or destination (`ip_route_me_harder`). */
function reroute(
  walk: WalkState,
  namespace: NamespaceModel,
  before: Packet,
  after: Packet,
  current: { readonly route: FoundRoute; readonly nexthop: NexthopSnapshot | undefined },
  link: string | undefined,
): Routed {
  if (before.mark === after.mark && before.destination === after.destination && before.source === after.source)
    return { packet: after, nexthop: current.nexthop };
  const route = findOutputRoute(namespace, after, after.source, link);
  const nexthop = chooseNexthop(walk, route);
  noteRoute(walk, route, nexthop);
  return { packet: { ...after, outLink: getOutLink(route, nexthop) }, nexthop };
}

function findOutputRoute(
  { state }: NamespaceModel,
  packet: Packet,
  source: string | undefined,
  outLink: string | undefined,
): FoundRoute {
  const result = lookupRoute(state, { ...packet, source, inLink: "lo", outLink });
  const { id } = state.snapshot;
  switch (result.kind) {
    case "route":
      return result;
    case "none":
      throw losePacket("reject", "no-route", id, `no route to ${packet.destination}`);
    case "reject":
      throw losePacket(result.type === "blackhole" ? "drop" : "reject", "reject-route", id, result.text);
    case "unknown":
      throw losePacket(
        "unknown",
        "not-modelled",
        id,
        `policy rule with a selector that the model does not know: ${result.text}`,
      );
  }
}

/** Returns the outgoing link; packets of a namespace to itself leave by loopback. */
function getOutLink({ route }: FoundRoute, nexthop: NexthopSnapshot | undefined): string | undefined {
  return route.type === "local" ? "lo" : nexthop?.link;
}

/** Chooses one of a route's next hops by their weights. */
export function chooseNexthop(walk: WalkState, { nexthops }: FoundRoute): NexthopSnapshot | undefined {
  if (nexthops.length < 2) return nexthops[0];
  const total = nexthops.reduce((sum, { weight }) => sum + weight, 0);
  return nexthops[walk.choose(nexthops.map(({ weight }) => weight / total))];
}

/** Records the chosen route and its rule in the trace. */
export function noteRoute(walk: WalkState, { route, rule }: FoundRoute, nexthop: NexthopSnapshot | undefined): void {
  walk.note({ kind: "route", text: `${formatRoute(route, nexthop)} (rule ${formatRule(rule)})` });
}

/** Returns the MTU of a route, else of its link, in bytes. */
function findMtu({ state }: NamespaceModel, { route }: FoundRoute, outLink: string | undefined): number {
  return route.mtu ?? state.links.get(outLink ?? "")?.mtu ?? Number.MAX_SAFE_INTEGER;
}

/** Limits a packet to the MTU: TCP sends shorter segments; other packets are fragmented by their sender, and on the way in IPv4. */
function fitPacket(packet: Packet, mtu: number): Packet {
  if (packet.length <= mtu) return packet;
  return { ...packet, length: mtu, dontFragment: packet.protocol === "tcp" };
}

/**
 * Fragments a forwarded packet that is longer than the MTU of its route or link.
 *
 * @returns the packet, or the longest fragment of it
 * @throws PacketLost if it may not be fragmented
 */
export function fragmentPacket(namespace: NamespaceModel, packet: Packet, route: FoundRoute): Packet {
  const mtu = findMtu(namespace, route, packet.outLink);
  if (packet.length <= mtu) return packet;
  if (packet.family === "ipv4" && !packet.dontFragment) return { ...packet, length: mtu };
  const text = `${packet.length} bytes do not fit the MTU ${mtu} of ${packet.outLink ?? "the route"}`;
  throw losePacket("reject", "mtu", namespace.state.snapshot.id, text, { mtu });
}
