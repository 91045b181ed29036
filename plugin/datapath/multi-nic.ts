import { type Cidr, familyOf, hostCidr, type Ip } from "./address.ts";
import type { Facts } from "./facts.ts";
import { looseFilter } from "./pair.ts";
import type { Plan, PlanItem } from "./plan.ts";
import { type NodeWay, nodeAddress, routesThroughNode, toNode } from "./through-node.ts";

/** Tables of our policy rules: this and the link's index in the pod, so that order does not matter. */
export const NIC_TABLE_BASE = 10_000;
export const FROM_PRIORITY = 1000;

/**
 * The node's routes to addresses behind another plugin's link. Not in main: felix owns `cali…` there and removes every
 * route it did not make, at its next resync, with the address's connections (RemoveExternalRoutes, its default).
 */
export const NODE_TABLE = 500;
export const NODE_PRIORITY = 1000;

/** How this pod reaches its node: the overlay's eth0, or veth0 of an underlay pod with a second macvlan link. */
export interface NodeAnchor {
  /** The pod's link. */
  readonly podLink: string;
  readonly podLinkIndex: number;
  readonly podMac: string;
  /** Its other end on the node: `cali…` or ours. */
  readonly nodeLink: string;
  readonly nodeMac: string;
  /** The pod's addresses on that link. */
  readonly addresses: readonly Ip[];
  /** Default routes by that link. */
  readonly gateways: readonly Ip[];
}

export interface ExtraAddress {
  readonly ip: Ip;
  /** The connected network. */
  readonly network: Cidr;
  readonly gateway?: Ip;
}

export interface ExtraAttachment {
  readonly ifname: string;
  readonly linkIndex: number;
  readonly addresses: readonly ExtraAddress[];
  readonly anchor: NodeAnchor;
  /** The anchor is the overlay's own link: the pod's main address is an overlay address. */
  readonly overlay: boolean;
}

/** Plan for a macvlan link beside another NIC: each address answers by its own link, the node reaches it by the anchor. */
export function planExtraNic(facts: Facts, pod: ExtraAttachment): Plan {
  const { anchor, ifname } = pod;
  return {
    items: pod.addresses.flatMap((extra): readonly PlanItem[] => {
      const family = familyOf(extra.ip);
      const node = nodeAddress(facts, family);
      if (node === undefined) return [];
      const main = pod.overlay ? anchor.addresses.find((a) => familyOf(a) === family) : undefined;
      return [
        ...(family === "ipv4" ? [anchor.podLink, ifname].map(looseFilter) : []),
        {
          kind: "neighbour",
          where: "pod",
          device: anchor.podLink,
          address: node,
          mac: anchor.nodeMac,
          reason: "the node's address is not on its end of this link: for IPv6 it would not answer (RFC 4861, 7.2.3)",
        },
        ...fromNode(anchor, extra.ip),
        ...(main === undefined ? [] : routesThroughNode(facts, { node, device: anchor.podLink, source: main })),
        ...fromExtra(pod, extra, { node, device: anchor.podLink, source: extra.ip }),
        ...(main === undefined ? [] : fromOverlay(anchor, { node, device: anchor.podLink, source: main })),
      ];
    }),
  };
}

function fromNode(anchor: NodeAnchor, address: Ip): readonly PlanItem[] {
  const family = familyOf(address);
  return [
    {
      kind: "neighbour",
      where: "node",
      device: anchor.nodeLink,
      address,
      mac: anchor.podMac,
      reason: "the pod has the address on its macvlan link: pinned, so that its other link need not answer for it",
    },
    {
      kind: "route",
      where: "node",
      family,
      destination: hostCidr(address),
      device: anchor.nodeLink,
      table: NODE_TABLE,
      reason:
        "macvlan parent and child cannot talk: the node reaches its own pods' macvlan addresses by their other link",
    },
    {
      kind: "rule",
      where: "node",
      family,
      priority: NODE_PRIORITY,
      table: NODE_TABLE,
      reason: "routes by links that belong to the overlay's own agent are kept out of the table that it cleans",
    },
  ];
}

function fromExtra({ ifname, linkIndex }: ExtraAttachment, extra: ExtraAddress, way: NodeWay): readonly PlanItem[] {
  const family = familyOf(extra.ip);
  const table = NIC_TABLE_BASE + linkIndex;
  const here = { kind: "route", where: "pod", family, device: ifname, source: extra.ip, table } as const;
  return [
    { ...here, destination: extra.network, reason: `the network of ${ifname}` },
    toNode(way, table),
    ...(extra.gateway === undefined
      ? []
      : [
          {
            ...here,
            destination: "default" as const,
            gateway: extra.gateway,
            reason: `${ifname}'s own gateway, for what answers from its address`,
          },
        ]),
    {
      kind: "rule",
      where: "pod",
      family,
      priority: FROM_PRIORITY,
      from: extra.ip,
      table,
      reason: `what comes from ${ifname}'s address leaves by ${ifname}`,
    },
  ];
}

/** Without it a reply from the overlay address to an underlay pod leaves by net1, and the pod's own node calls it INVALID. */
function fromOverlay(anchor: NodeAnchor, way: NodeWay): readonly PlanItem[] {
  const main = way.source;
  const family = familyOf(main);
  const gateway = anchor.gateways.find((g) => familyOf(g) === family);
  if (gateway === undefined) return [];
  const table = NIC_TABLE_BASE + anchor.podLinkIndex;
  return [
    toNode(way, table),
    {
      kind: "route",
      where: "pod",
      family,
      destination: "default",
      gateway,
      device: anchor.podLink,
      source: main,
      table,
      onlink: true,
      reason: "everything that the overlay address says leaves by the overlay's link",
    },
    {
      kind: "rule",
      where: "pod",
      family,
      priority: FROM_PRIORITY,
      from: main,
      table,
      reason:
        "a reply from the overlay address to an underlay pod would leave by net1 otherwise (spiderpool issue 3683)",
    },
  ];
}
