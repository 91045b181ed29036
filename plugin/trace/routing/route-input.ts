import type { Packet } from "../packet.ts";
import type { TraceFailure } from "../trace.ts";
import { checkSource } from "./check-source.ts";
import { containsAddress, isLinkLocal } from "./ip-number.ts";
import { lookupRoute } from "./lookup-route.ts";
import type { RouteResult } from "./route-query.ts";
import { type NamespaceState, readLinkSysctl, readSysctl } from "./namespace-state.ts";

/** Fields of a received packet on which its route depends. */
export type Received = Pick<
  Packet,
  "family" | "source" | "destination" | "mark" | "protocol" | "sourcePort" | "destinationPort"
>;

/** Routing decision of the kernel for a received packet. */
export type InputRoute =
  | { readonly kind: "deliver" | "forward"; readonly result: Extract<RouteResult, { readonly kind: "route" }> }
  | ({ readonly kind: "refuse" } & Pick<TraceFailure, "verdict" | "text"> & { readonly failure: TraceFailure["kind"] });

/**
 * Routes a received packet: to this namespace, to another link, or nowhere (`ip_route_input_slow`, `ip6_forward`).
 *
 * @param link link by which the packet arrived
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
      const isLocal = result.route.type !== "unicast";
      if (!isLocal && !forwards)
        return refuse(
          "drop",
          "forwarding-off",
          `${describeForwarding(packet, link)} is 0, and ${destination} is not local`,
        );
      const problem = checkSource(state, packet, link);
      if (problem !== undefined) return refuse("drop", problem.kind, problem.text);
      if (!isLocal && family === "ipv6" && isLinkLocal(packet.source))
        return refuse("drop", "martian", `link-local source ${packet.source} is not forwarded`);
      return { kind: isLocal ? "deliver" : "forward", result };
    }
  }
}

function refuse(verdict: TraceFailure["verdict"], failure: TraceFailure["kind"], text: string): InputRoute {
  return { kind: "refuse", verdict, failure, text };
}

/** Reports whether forwarding is on: for the incoming link in IPv4, for all links together in IPv6. */
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
  const outLink = decision.result.nexthops[0]?.link;
  if (outLink === link) return false;
  return (
    readLinkSysctl(state, "ipv4", link, "proxy_arp") !== 0 ||
    state.snapshot.neighbours.some((entry) => entry.proxy && entry.address === target && entry.link === link)
  );
}

/** Evaluates the values 0, 1, 2, 3 and 8 of arp_ignore. */
function ignoresArp(state: NamespaceState, link: string, target: string, sender: string): boolean {
  const localAddress = state.addresses.find((address) => address.address === target);
  switch (readLinkSysctl(state, "ipv4", link, "arp_ignore")) {
    case 0:
      return false;
    case 1:
      return localAddress?.link !== link;
    case 2:
      return (
        localAddress?.link !== link || !containsAddress(`${localAddress.address}/${localAddress.prefixLength}`, sender)
      );
    case 3:
      return localAddress?.scope === "host" || localAddress?.scope === "link";
    case 8:
      return true;
    default:
      return false;
  }
}

/** Reports whether a namespace answers neighbour solicitations for an address on a link (`ndisc_recv_ns`). */
export function answersNdp(state: NamespaceState, link: string, target: string): boolean {
  const localAddress = state.addresses.find((address) => address.address === target && address.link === link);
  if (localAddress !== undefined)
    return !localAddress.flags.some((flag) => flag === "tentative" || flag === "dadfailed");
  return (
    readLinkSysctl(state, "ipv6", link, "proxy_ndp") !== 0 &&
    readSysctl(state, "net/ipv6/conf/all/forwarding") !== 0 &&
    state.snapshot.neighbours.some((entry) => entry.proxy && entry.address === target && entry.link === link)
  );
}
