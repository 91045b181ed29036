import { type Cidr, containsIp, getFamily, parseIp } from "../../datapath/address.ts";
import { NetworkNamespace } from "../../datapath/kernel.ts";
import { decodeRoute, encodeRouteDump, RTM_ROUTE } from "../../netlink/route.ts";

/** Link kinds that lead to other nodes, whatever their routes. */
export const TUNNEL_KINDS: readonly string[] = [
  "vxlan",
  "geneve",
  "ipip",
  "sit",
  "ip6tnl",
  "gre",
  "ip6gre",
  "wireguard",
];

/** A route to an overlay network, with the properties that distinguish a tunnel from a pod's link. */
export interface OverlayRoute {
  readonly link: string;
  readonly kind: string | undefined;
  /** Whether a route by this link has a gateway: its destination is behind another host. */
  readonly gateway: boolean;
}

/** Reads the links of all routes to these networks, once each. */
export function readOverlayRoutes(overlayCidrs: readonly Cidr[]): readonly OverlayRoute[] {
  const node = new NetworkNamespace();
  try {
    const hasGateway = new Map<number, boolean>();
    for (const family of new Set(overlayCidrs.map(getFamily))) {
      const overlay = overlayCidrs.filter((cidr) => getFamily(cidr) === family);
      for (const message of node.socket.dump("routes", RTM_ROUTE.get, encodeRouteDump(family))) {
        const route = decodeRoute(message.payload);
        if (route?.destination === undefined || route.link === undefined) continue;
        const address = parseIp(route.destination.address);
        if (!overlay.some((cidr) => containsIp(cidr, address))) continue;
        hasGateway.set(route.link, hasGateway.get(route.link) === true || route.gateway !== undefined);
      }
    }
    return [...hasGateway].flatMap(([index, gateway]) => {
      const link = node.findLinkByIndex(index);
      return link === undefined ? [] : [{ link: link.name, kind: link.kind, gateway }];
    });
  } finally {
    node.close();
  }
}

/**
 * Chooses the links by which packets to overlay pods of other nodes leave: tunnels, links with a gateway, and the uplink, which
 * has the default route. Links to pods of this node are neither. Pure.
 */
export function chooseNodeLinks(routes: readonly OverlayRoute[], uplink: string): readonly string[] {
  const remote = routes.filter(({ kind, gateway }) => gateway || (kind !== undefined && TUNNEL_KINDS.includes(kind)));
  return [...new Set([uplink, ...remote.map(({ link }) => link)])].sort();
}

/** Reads the links by which the node reaches the overlay. */
export function readNodeLinks(overlayCidrs: readonly Cidr[], uplink: string): readonly string[] {
  return chooseNodeLinks(readOverlayRoutes(overlayCidrs), uplink);
}
