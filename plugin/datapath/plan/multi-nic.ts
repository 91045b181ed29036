import { type Cidr, familyOf, hostCidr, type Ip } from "../address.ts";
import type { Facts } from "../facts.ts";
import type { RoutingIds } from "./routing-ids.ts";
import { MAIN_TABLE, type Plan, type PlanItem, type RouteItem } from "../plan-item.ts";
import { type NodePath, findNodeAddress, planRoutesViaNode, planRouteToNode } from "./node-routes.ts";

/** The routing table of a NIC is this number plus the link's index in the pod, so that the order of attachment does not matter. */
export const NIC_TABLE_BASE = 10_000;

/** A pod's link to its node: the overlay's eth0, or veth0 of an underlay pod with a second macvlan link. */
interface NodeLink {
  /** The pod's link. */
  readonly podLink: string;
  readonly podLinkIndex: number;
  readonly podMac: string;
  /** Its other end on the node: `cali…` or ours. */
  readonly nodeLink: string;
  readonly nodeMac: string;
  /** The node's own addresses on that end: ptp's gateway. Calico's ends have none. */
  readonly nodeAddresses: readonly Ip[];
  /** The pod's addresses on that link. */
  readonly addresses: readonly Ip[];
  /** Default routes by that link. */
  readonly gateways: readonly Ip[];
}

export interface NicAddress {
  readonly ip: Ip;
  /** The connected network. */
  readonly network: Cidr;
  readonly gateway?: Ip;
}

/** A route that the previous plugin made by this link: a pool's `routes`, through macvlan. */
export interface NicRoute {
  readonly destination: Cidr | "default";
  /** Undefined: the gateway of the link's address, or on the link itself where that has none. */
  readonly gateway?: Ip;
}

export interface SecondaryAttachment {
  readonly ifname: string;
  readonly linkIndex: number;
  readonly addresses: readonly NicAddress[];
  /** Undefined in records of earlier versions. */
  readonly routes?: readonly NicRoute[];
  readonly anchor: NodeLink;
  /** The anchor is the overlay's own link: the pod's main address is an overlay address. */
  readonly overlay: boolean;
  /** Existing default routes by other links, which this link's replace; absent if this link gets no default route. */
  readonly defaultInsteadOf?: readonly DefaultRoute[];
  readonly numbers: RoutingIds;
}

export interface DefaultRoute {
  readonly gateway: Ip;
  readonly device: string;
}

/** Plans a macvlan NIC next to the pod's main NIC. Each address replies by its own link; the node reaches it by the anchor, the pod's link to the node. */
export function planSecondaryNic(facts: Facts, pod: SecondaryAttachment): Plan {
  const { anchor: nodeLink, numbers } = pod;
  const connected = pod.addresses.map(({ network }) => network);
  return {
    items: pod.addresses.flatMap((extra): readonly PlanItem[] => {
      const family = familyOf(extra.ip);
      const node = findNodeAddress(facts, family);
      if (node === undefined) return [];
      const main = pod.overlay ? nodeLink.addresses.find((a) => familyOf(a) === family) : undefined;
      return [
        {
          kind: "neighbour",
          where: "pod",
          device: nodeLink.podLink,
          address: node,
          mac: nodeLink.nodeMac,
          reason: "the node's address is not on its end of this link: for IPv6 it would not answer (RFC 4861, 7.2.3)",
        },
        ...planNodeSide(nodeLink, extra.ip, node, numbers),
        ...(main === undefined
          ? []
          : planRoutesViaNode(facts, { node, device: nodeLink.podLink, source: main }, connected)),
        ...planNicTable(facts, pod, extra, { node, device: nodeLink.podLink, source: extra.ip }),
        ...(main === undefined
          ? []
          : planOverlayTable(nodeLink, { node, device: nodeLink.podLink, source: main }, numbers)),
        ...planDefaultRoute(pod, extra),
      ];
    }),
  };
}

function planNodeSide(nodeLink: NodeLink, address: Ip, node: Ip, numbers: RoutingIds): readonly PlanItem[] {
  const family = familyOf(address);
  return [
    {
      kind: "neighbour",
      where: "node",
      device: nodeLink.nodeLink,
      address,
      mac: nodeLink.podMac,
      reason: "the pod has the address on its macvlan link: pinned, so that its other link need not answer for it",
    },
    {
      kind: "route",
      where: "node",
      family,
      destination: hostCidr(address),
      device: nodeLink.nodeLink,
      source: node,
      table: numbers.hostRouteTable,
      reason:
        "macvlan parent and child cannot talk: the node reaches its own pods' macvlan addresses by their other link; from the one address of its own that they have a way back to",
    },
    {
      kind: "rule",
      where: "node",
      family,
      priority: numbers.hostRulePriority,
      table: numbers.hostRouteTable,
      reason: "routes by links that belong to the overlay's own agent are kept out of the table that it cleans",
    },
  ];
}

/** Plans the default route, as the last item: the other items do not depend on it. */
function planDefaultRoute(
  { ifname, defaultInsteadOf }: SecondaryAttachment,
  { gateway }: NicAddress,
): readonly PlanItem[] {
  if (defaultInsteadOf === undefined || gateway === undefined) return [];
  const family = familyOf(gateway);
  const instead = defaultInsteadOf.find((route) => familyOf(route.gateway) === family);
  return [
    {
      kind: "route",
      where: "pod",
      family,
      destination: "default",
      gateway,
      device: ifname,
      table: MAIN_TABLE,
      ...(instead === undefined ? {} : { instead }),
      reason: `${ifname} was chosen to have the pod's default route`,
    },
  ];
}

/** Plans the table of one link: packets from its address leave by it, except to destinations that only the node reaches. */
function planNicTable(
  facts: Facts,
  pod: SecondaryAttachment,
  extra: NicAddress,
  nodePath: NodePath,
): readonly PlanItem[] {
  const { ifname, linkIndex, numbers } = pod;
  const family = familyOf(extra.ip);
  const table = NIC_TABLE_BASE + linkIndex;
  const network: RouteItem = {
    ...({ kind: "route", where: "pod", family, device: ifname, source: extra.ip, table } as const),
    destination: extra.network,
    reason: `the network of ${ifname}`,
  };
  return [
    ...uniqueByDestination([
      network,
      ...planRepliesViaNode(facts, nodePath, [extra.network], table),
      ...planRoutesToNodeEnd(pod, extra),
      ...planNicRoutes(pod, extra, table),
    ]),
    {
      kind: "rule",
      where: "pod",
      family,
      priority: numbers.podRulePriority,
      from: extra.ip,
      table,
      reason: `packets from ${ifname}'s address leave by ${ifname}`,
    },
  ];
}

/** Keeps the first route to each destination: a table has one. */
function uniqueByDestination(routes: readonly RouteItem[]): readonly RouteItem[] {
  return routes.filter(
    ({ destination }, index) => routes.findIndex((route) => route.destination === destination) === index,
  );
}

/**
 * Plans the routes from the link's address through the node: to all addresses of the node, because it masquerades with the address of
 * any of its links; to overlay pods, which are clients with their own addresses if nothing masquerades them (natOutgoing off); to
 * Services. A destination that was only configured or announced (hijackCidrs, VIPs) may be a client on the underlay: replies to it leave
 * by the link.
 */
function planRepliesViaNode(
  facts: Facts,
  nodePath: NodePath,
  connected: readonly Cidr[],
  table: number,
): readonly RouteItem[] {
  return planRoutesViaNode({ ...facts, hijackCidrs: [], viaNode: [] }, nodePath, connected, table);
}

/** Plans the link's own routes and its gateway. */
function planNicRoutes(
  { ifname, routes = [] }: SecondaryAttachment,
  extra: NicAddress,
  table: number,
): readonly RouteItem[] {
  const family = familyOf(extra.ip);
  const isOfFamily = (one: Ip | Cidr | "default" | undefined): boolean =>
    one === undefined || one === "default" || familyOf(one) === family;
  const wanted: readonly NicRoute[] = [
    ...routes,
    ...(extra.gateway === undefined ? [] : [{ destination: "default" as const, gateway: extra.gateway }]),
  ];
  return wanted
    .filter(({ destination, gateway }) => isOfFamily(destination) && isOfFamily(gateway))
    .flatMap(({ destination, gateway = extra.gateway }): readonly RouteItem[] => {
      if (destination === "default" && gateway === undefined) return [];
      return [
        {
          ...({ kind: "route", where: "pod", family, device: ifname, source: extra.ip, table } as const),
          destination,
          ...(gateway === undefined ? {} : { gateway }),
          reason:
            destination === "default"
              ? `${ifname}'s own gateway, for replies from its address`
              : `a route of ${ifname}'s own network`,
        },
      ];
    });
}

/** Plans routes to the addresses of the node's end: the node masquerades forwarded packets by them. */
function planRoutesToNodeEnd(
  { anchor: nodeLink, linkIndex }: SecondaryAttachment,
  { ip }: NicAddress,
): readonly RouteItem[] {
  return nodeLink.nodeAddresses
    .filter((address) => familyOf(address) === familyOf(ip))
    .map((address) => ({
      ...planRouteToNode({ node: address, device: nodeLink.podLink, source: ip }, NIC_TABLE_BASE + linkIndex),
      reason: "the node masquerades by its end's own address: the reply goes back there, not by the wire",
    }));
}

/** Plans the table of the overlay address. Without it replies to underlay pods leave by net1 and are INVALID on the client's node. */
function planOverlayTable(nodeLink: NodeLink, nodePath: NodePath, numbers: RoutingIds): readonly PlanItem[] {
  const main = nodePath.source;
  const family = familyOf(main);
  const gateway = nodeLink.gateways.find((g) => familyOf(g) === family);
  if (gateway === undefined) return [];
  const table = NIC_TABLE_BASE + nodeLink.podLinkIndex;
  return [
    planRouteToNode(nodePath, table),
    {
      kind: "route",
      where: "pod",
      family,
      destination: "default",
      gateway,
      device: nodeLink.podLink,
      source: main,
      table,
      onlink: true,
      reason: "packets from the overlay address leave by the overlay's link",
    },
    {
      kind: "rule",
      where: "pod",
      family,
      priority: numbers.podRulePriority,
      from: main,
      table,
      reason:
        "a reply from the overlay address to an underlay pod would leave by net1 otherwise (spiderpool issue 3683)",
    },
  ];
}
