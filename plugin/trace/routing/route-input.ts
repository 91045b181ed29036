import type { Packet } from "../packet.ts";
import type { TraceFailure } from "../trace.ts";
import { checkSource } from "./check-source.ts";
import { containsAddress, isLinkLocal } from "./ip-number.ts";
import { lookupRoute } from "./lookup-route.ts";
import type { RouteResult } from "./route-query.ts";
import { type NamespaceState, readLinkSysctl, readSysctl } from "./namespace-state.ts";

/** Parts of a received packet that decide its route. */
export type Received = Pick<
  Packet,
  "family" | "source" | "destination" | "mark" | "protocol" | "sourcePort" | "destinationPort"
>;

/** Decision of the kernel on a received packet. */
export type InputRoute =
  | { readonly kind: "deliver" | "forward"; readonly result: Extract<RouteResult, { readonly kind: "route" }> }
  | ({ readonly kind: "refuse" } & Pick<TraceFailure, "verdict" | "text"> & { readonly failure: TraceFailure["kind"] });

/**
 * Routes a received packet: to this namespace, to another link, or nowhere (`ip_route_input_slow`, `ip6_forward`).
 *
 * @param link the link that the packet came in by
 */
export function routeInput(state: NamespaceState, packet: Received, link: string): InputRoute {
  const { family, destination } = packet;
  const result = lookupRoute(state, { ...packet, inLink: link, outLink: undefined });
  const forwards = canForward(state, packet, link);
  switch (result.kind) {
    case "unknown":
      return refuse(
        "unknown",
        "not-modelled",
        `policy rule with a selector that the model does not know: ${result.text}`,
      );
    case "none":
      return forwards
        ? refuse("reject", "no-route", `no route to ${destination}`)
        : refuse("drop", "no-route", `no route to ${destination}, and ${describeForwarding(packet, link)} is 0`);
    case "reject":
      return result.type === "blackhole" || !forwards
        ? refuse("drop", "reject-route", result.text)
        : refuse("reject", "reject-route", result.text);
    case "route": {
      const local = result.route.type !== "unicast";
      if (!local && !forwards)
        return refuse(
          "drop",
          "forwarding-off",
          `${describeForwarding(packet, link)} is 0, and ${destination} is not local`,
        );
      const problem = checkSource(state, packet, link);
      if (problem !== undefined) return refuse("drop", problem.kind, problem.text);
      if (!local && family === "ipv6" && isLinkLocal(packet.source))
        return refuse("drop", "martian", `link-local source ${packet.source} is not forwarded`);
      return { kind: local ? "deliver" : "forward", result };
    }
  }
}

function refuse(verdict: TraceFailure["verdict"], failure: TraceFailure["kind"], text: string): InputRoute {
  return { kind: "refuse", verdict, failure, text };
}

/** IPv4 asks the incoming link, IPv6 all links together. */
function canForward(state: NamespaceState, { family }: Received, link: string): boolean {
  return family === "ipv4"
    ? readSysctl(state, `net/ipv4/conf/${link}/forwarding`, readSysctl(state, "net/ipv4/ip_forward")) !== 0
    : readSysctl(state, "net/ipv6/conf/all/forwarding") !== 0;
}

function describeForwarding({ family }: Received, link: string): string {
  return family === "ipv4" ? `net.ipv4.conf.${link}.forwarding` : "net.ipv6.conf.all.forwarding";
}

/** Reports whether a namespace answers ARP requests for an address on a link (`arp_process`). */
export function answersArp(state: NamespaceState, link: string, target: string, sender: string): boolean {
  const request = {
    family: "ipv4",
    source: sender,
    destination: target,
    mark: 0,
    protocol: "udp",
    sourcePort: 0,
    destinationPort: 0,
  } as const;
  const decision = routeInput(state, request, link);
  if (decision.kind === "deliver")
    return decision.result.route.type === "local" && !ignoresArp(state, link, target, sender);
  if (decision.kind === "refuse") return false;
  const out = decision.result.nexthops[0]?.link;
  if (out === link) return false;
  return (
    readLinkSysctl(state, "ipv4", link, "proxy_arp") !== 0 ||
    state.snapshot.neighbours.some((entry) => entry.proxy && entry.address === target && entry.link === link)
  );
}

/** Values 0, 1, 2, 3 and 8 of arp_ignore. */
function ignoresArp(state: NamespaceState, link: string, target: string, sender: string): boolean {
  const own = state.addresses.find((address) => address.address === target);
  switch (readLinkSysctl(state, "ipv4", link, "arp_ignore")) {
    case 0:
      return false;
    case 1:
      return own?.link !== link;
    case 2:
      return own?.link !== link || !containsAddress(`${own.address}/${own.prefixLength}`, sender);
    case 3:
      return own?.scope === "host" || own?.scope === "link";
    case 8:
      return true;
    default:
      return false;
  }
}

/** Reports whether a namespace answers neighbour solicitations for an address on a link (`ndisc_recv_ns`). */
export function answersNdp(state: NamespaceState, link: string, target: string): boolean {
  const own = state.addresses.find((address) => address.address === target && address.link === link);
  if (own !== undefined) return !own.flags.some((flag) => flag === "tentative" || flag === "dadfailed");
  return (
    readLinkSysctl(state, "ipv6", link, "proxy_ndp") !== 0 &&
    readSysctl(state, "net/ipv6/conf/all/forwarding") !== 0 &&
    state.snapshot.neighbours.some((entry) => entry.proxy && entry.address === target && entry.link === link)
  );
}
