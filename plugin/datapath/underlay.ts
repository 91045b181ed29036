import { type Cidr, type Family, familyOf, hostCidr, type Ip } from "./address.ts";
import type { Facts } from "./facts.ts";
import { nodeLinkName, POD_LINK, stableMac } from "./names.ts";
import { MAIN_TABLE, type Plan, type PlanItem, type RouteItem } from "./plan.ts";

/** Replies to what came in by veth0; any bit would do, this is the one documented. */
export const VETH_MARK = 0x1;
/** Table and rule of those replies. */
export const VETH_TABLE = 500;
export const MARK_PRIORITY = 500;

export interface UnderlayAttachment {
  readonly containerId: string;
  /** The pod's macvlan link. */
  readonly ifname: string;
  readonly addresses: readonly Ip[];
  readonly mtu: number;
}

/** Plan for a pod whose eth0 is a macvlan child: a pair to its node, through which it reaches node, overlay and Services. */
export function planUnderlay(facts: Facts, pod: UnderlayAttachment): Plan {
  const nodeLink = nodeLinkName(pod.containerId, pod.ifname);
  const nodeMac = stableMac(pod.containerId, pod.ifname, "node");
  const podMac = stableMac(pod.containerId, pod.ifname, "pod");
  const families = pod.addresses.flatMap((address) => {
    const node = facts.node.addresses.find((candidate) => familyOf(candidate) === familyOf(address));
    return node === undefined ? [] : [{ family: familyOf(address), address, node }];
  });
  return {
    items: [
      {
        kind: "veth",
        node: { name: nodeLink, mac: nodeMac },
        pod: { name: POD_LINK, mac: podMac },
        mtu: pod.mtu,
        reason: "a macvlan child cannot talk to its parent's host: the pod reaches its node by a pair of its own",
      },
      ...families.flatMap(({ family, address, node }) => [
        ...linkSysctls(family, nodeLink, pod.ifname),
        {
          kind: "neighbour" as const,
          where: "pod" as const,
          device: POD_LINK,
          address: node,
          mac: nodeMac,
          reason: "the node's address is also on the wire: pinned, so that nobody has to answer for it",
        },
        {
          kind: "neighbour" as const,
          where: "node" as const,
          device: nodeLink,
          address,
          mac: podMac,
          reason: "the pod answers ARP and ND by its macvlan link's rules: pinned, so that it need not",
        },
        {
          kind: "route" as const,
          where: "node" as const,
          family,
          destination: hostCidr(address),
          device: nodeLink,
          table: MAIN_TABLE,
          reason:
            "node to pod (kubelet probes, Services on this node): the wire does not lead to one's own macvlan children",
        },
        ...podRoutes(facts, family, address, node),
      ]),
      ...families.map(({ family }) => ({
        kind: "rule" as const,
        where: "pod" as const,
        family,
        priority: MARK_PRIORITY,
        mark: VETH_MARK,
        table: VETH_TABLE,
        reason: "replies to what came in by veth0 (NodePort with its source kept) go back the same way",
      })),
      ...(families.length === 0
        ? []
        : [
            {
              kind: "reply-mark" as const,
              where: "pod" as const,
              device: POD_LINK,
              mark: VETH_MARK,
              reason:
                "replies to what came in by veth0 must not leave by the wire: the client knows the Service's address, not the pod's",
            },
          ]),
    ],
  };
}

function podRoutes(facts: Facts, family: Family, pod: Ip, node: Ip): readonly RouteItem[] {
  const via = (destination: Cidr | "default", reason: string, table = MAIN_TABLE): RouteItem => ({
    kind: "route",
    where: "pod",
    family,
    destination,
    gateway: node,
    device: POD_LINK,
    source: pod,
    table,
    reason,
  });
  const ofFamily = (list: readonly Cidr[]) => list.filter((cidr) => familyOf(cidr) === family);
  const toNode = (table: number): RouteItem => ({
    kind: "route",
    where: "pod",
    family,
    destination: hostCidr(node),
    device: POD_LINK,
    source: pod,
    table,
    reason: "pod to its own node",
  });
  return [
    toNode(MAIN_TABLE),
    ...ofFamily(facts.overlayCidrs).map((cidr) =>
      via(cidr, "overlay pods are reached through the node, which knows their blocks"),
    ),
    ...ofFamily(facts.serviceCidrs).map((cidr) =>
      via(cidr, "Services exist on the node alone: kube-proxy translates there"),
    ),
    ...ofFamily(facts.hijackCidrs).map((cidr) => via(cidr, "configured to be reached through the node")),
    toNode(VETH_TABLE),
    via("default", "replies to what came in by veth0, whoever asked", VETH_TABLE),
  ];
}

/** The value is the loosest that is still right: max(all, link) counts, and asymmetric paths are the design. */
function linkSysctls(family: Family, nodeLink: string, ifname: string): readonly PlanItem[] {
  if (family === "ipv6") return [];
  const loose = "2";
  return [
    {
      kind: "sysctl",
      where: "node",
      path: ["ipv4", "conf", nodeLink, "rp_filter"],
      value: loose,
      reason: "RFC 3704 loose: strict would drop what another node's pod sends by the wire",
    },
    {
      kind: "sysctl",
      where: "node",
      path: ["ipv4", "conf", nodeLink, "forwarding"],
      value: "1",
      reason: "the node routes for the pod",
    },
    ...[POD_LINK, ifname].map((link) => ({
      kind: "sysctl" as const,
      where: "pod" as const,
      path: ["ipv4", "conf", link, "rp_filter"],
      value: loose,
      reason: "RFC 3704 loose: a request that leaves by veth0 may be answered straight over the wire",
    })),
  ];
}
