import { type Cidr, familyOf, hostCidr, type Ip } from "./address.ts";
import type { Facts } from "./facts.ts";
import { MAIN_TABLE, type Plan, type PlanItem, type RouteItem } from "./plan.ts";

/** Tables of our policy rules: this and the link's index in the pod, so that order does not matter. */
export const NIC_TABLE_BASE = 10_000;
export const FROM_PRIORITY = 1000;

/** How this pod reaches its node: the overlay's eth0, or veth0 of an underlay pod with a second macvlan link. */
export interface NodeAnchor {
  /** The pod's link. */
  readonly podLink: string;
  readonly podLinkIndex: number;
  /** Its other end on the node: `cali…` or ours. */
  readonly nodeLink: string;
  /** The pod's addresses on that link. */
  readonly addresses: readonly Ip[];
  /** Default routes of the main table by that link. */
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
  const table = NIC_TABLE_BASE + pod.linkIndex;
  const overlayTable = NIC_TABLE_BASE + anchor.podLinkIndex;
  return {
    items: pod.addresses.flatMap((extra): readonly PlanItem[] => {
      const family = familyOf(extra.ip);
      const node = facts.node.addresses.find((a) => familyOf(a) === family);
      const main = anchor.addresses.find((a) => familyOf(a) === family);
      if (node === undefined) return [];
      const route = (item: Omit<RouteItem, "kind" | "family">): RouteItem => ({ kind: "route", family, ...item });
      const toNode = (inTable: number, source?: Ip): RouteItem =>
        route({
          where: "pod",
          destination: hostCidr(node),
          device: anchor.podLink,
          ...(source === undefined ? {} : { source }),
          table: inTable,
          reason: "pod to its own node: by macvlan there is no way",
        });
      return [
        ...(family === "ipv4" ? looseFilter([anchor.podLink, ifname]) : []),
        route({
          where: "node",
          destination: hostCidr(extra.ip),
          device: anchor.nodeLink,
          table: MAIN_TABLE,
          reason:
            "macvlan parent and child cannot talk: the node reaches its own pods' macvlan addresses by their other link",
        }),
        ...(pod.overlay && main !== undefined
          ? mainRoutes(facts, node, main, anchor.podLink, toNode(MAIN_TABLE, main))
          : []),
        route({
          where: "pod",
          destination: extra.network,
          device: ifname,
          source: extra.ip,
          table,
          reason: `the network of ${ifname}`,
        }),
        toNode(table, extra.ip),
        ...(extra.gateway === undefined
          ? []
          : [
              route({
                where: "pod",
                destination: "default",
                gateway: extra.gateway,
                device: ifname,
                source: extra.ip,
                table,
                reason: `${ifname}'s own gateway, for what answers from its address`,
              }),
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
        ...(pod.overlay && main !== undefined ? overlayPolicy(anchor, main, overlayTable) : []),
      ];
    }),
  };
}

function mainRoutes(facts: Facts, node: Ip, main: Ip, device: string, toNode: RouteItem): readonly RouteItem[] {
  const family = familyOf(main);
  const via = (list: readonly Cidr[], reason: string) =>
    list
      .filter((cidr) => familyOf(cidr) === family)
      .map((destination): RouteItem => ({
        kind: "route",
        where: "pod",
        family,
        destination,
        gateway: node,
        device,
        source: main,
        table: MAIN_TABLE,
        reason,
      }));
  return [
    toNode,
    ...via(facts.overlayCidrs, "overlay pods are reached by the overlay's link, with the overlay's address"),
    ...via(
      facts.serviceCidrs,
      "Services are translated on the node: by the overlay's link, with the overlay's address",
    ),
    ...via(facts.hijackCidrs, "configured to be reached through the node"),
  ];
}

/** Without it a reply from the overlay address to an underlay pod leaves by net1, and the pod's own node calls it INVALID. */
function overlayPolicy(anchor: NodeAnchor, main: Ip, table: number): readonly PlanItem[] {
  const family = familyOf(main);
  const gateway = anchor.gateways.find((g) => familyOf(g) === family);
  if (gateway === undefined) return [];
  return [
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

function looseFilter(links: readonly string[]): readonly PlanItem[] {
  return links.map((link) => ({
    kind: "sysctl",
    where: "pod",
    path: ["ipv4", "conf", link, "rp_filter"],
    value: "2",
    reason: "RFC 3704 loose: requests and replies of the same pod may use different links",
  }));
}
