import { type Cidr, type Family, getFamily, hostCidr, type Ip } from "../address.ts";
import type { Facts } from "../facts.ts";
import type { RoutingIds } from "./routing-ids.ts";
import { type Pair, buildPair, planPair } from "./pair.ts";
import { planSysctl } from "./plan-sysctl.ts";
import { MAIN_TABLE, type Plan, type PlanItem } from "../plan-item.ts";
import { findNodeAddress, planRoutesViaNode, planRouteViaNode } from "./node-routes.ts";
import type { NicAddress } from "./secondary-attachment.ts";

/**
 * Bit of the mark of replies to packets that arrived by veth0. Only this bit is set and compared, so that other marks in the pod
 * (Istio's 0x539 and 0x111, SO_MARK) neither hide it nor are taken for it.
 */
const VETH_MARK = 0x2000_0000;
/** Routing table of these replies, in the pod. */
const VETH_TABLE = 500;

export interface UnderlayAttachment {
  readonly containerId: string;
  /** The pod's macvlan link. */
  readonly ifname: string;
  readonly addresses: readonly NicAddress[];
  /** MTU in bytes: the NIC's, or the configured one. */
  readonly mtu: number;
  /** Set if the MTU is configured: then the overlay's MTU does not limit it. */
  readonly mtuChosen?: true;
  readonly txQueueLength?: number;
  readonly numbers: RoutingIds;
}

/** An address of the pod with its node's address of the same family. */
interface PodAddress {
  readonly family: Family;
  readonly address: Ip;
  readonly node: Ip;
  /** Networks of the pod's own link. */
  readonly connected: readonly Cidr[];
}

/** Plans a pod whose eth0 is a macvlan child: a pair to its node, through which it reaches node, overlay and Services. */
export function planUnderlay(facts: Facts, pod: UnderlayAttachment): Plan {
  const pair = buildPair(pod.containerId, pod.ifname);
  const connected = pod.addresses.map(({ network }) => network);
  const addresses = pod.addresses.flatMap(({ ip: address }) => {
    const node = findNodeAddress(facts, getFamily(address));
    return node === undefined ? [] : [{ family: getFamily(address), address, node, connected }];
  });
  if (addresses.length === 0) return { items: [] };
  const families = [...new Set(addresses.map(({ family }) => family))];
  return {
    items: [
      ...planPair(pair, pod.ifname, families, {
        mtu: choosePairMtu(facts, pod),
        ...(pod.txQueueLength === undefined ? {} : { txQueueLength: pod.txQueueLength }),
      }),
      ...addresses.flatMap((address) => planAddress(facts, pair, pod.numbers, address)),
      ...planMarkSysctls(families),
      {
        kind: "reply-mark",
        where: "pod",
        device: pair.pod.name,
        mark: VETH_MARK,
        families,
        routed: listNetworksRoutedByVeth(facts, pair.pod.name, addresses),
        reason:
          "replies to what came in by veth0 must not leave by the wire: the client knows the Service's address, not the pod's",
      },
    ],
  };
}

/**
 * Chooses the pair's MTU: the smallest on the way to an overlay pod. IPv6 routers do not fragment, so a datagram that is too long
 * only for the tunnel would be lost.
 */
function choosePairMtu({ overlayMtu }: Facts, { mtu, mtuChosen }: UnderlayAttachment): number {
  return mtuChosen === true || overlayMtu === undefined ? mtu : Math.min(mtu, overlayMtu);
}

/** Lists the networks that the main table routes by veth0. Single VIPs are left out, because their number has no limit. */
function listNetworksRoutedByVeth(facts: Facts, device: string, addresses: readonly PodAddress[]): readonly Cidr[] {
  const destinations = addresses.flatMap(({ address, node, connected }) =>
    planRoutesViaNode({ ...facts, viaNode: [] }, { node, device, source: address }, connected).map(
      ({ destination }) => destination,
    ),
  );
  return [...new Set(destinations)].flatMap((destination) => (destination === "default" ? [] : [destination]));
}

/** Plans the sysctls with which sockets and the kernel's own replies keep the mark of the request (Linux ip-sysctl). */
function planMarkSysctls(families: readonly Family[]): readonly PlanItem[] {
  return [
    planSysctl(
      "pod",
      ["ipv4", "tcp_fwmark_accept"],
      "1",
      "a connection that came in by veth0 has its SYN's mark, of either family",
    ),
    ...families.map((family) =>
      planSysctl(
        "pod",
        [family, "fwmark_reflect"],
        "1",
        "the kernel's own replies (RST, ICMP) get the mark of the packet that caused them",
      ),
    ),
  ];
}

function planAddress(
  facts: Facts,
  pair: Pair,
  numbers: RoutingIds,
  { family, address, node, connected }: PodAddress,
): readonly PlanItem[] {
  const nodePath = { node, device: pair.pod.name, source: address };
  return [
    {
      kind: "neighbour",
      where: "pod",
      device: pair.pod.name,
      address: node,
      mac: pair.node.mac,
      reason: "the node's address is also on the underlay network: pinned, so that it needs no ARP or ND reply",
    },
    {
      kind: "neighbour",
      where: "node",
      device: pair.node.name,
      address,
      mac: pair.pod.mac,
      reason: "the pod's address is on its macvlan link: pinned, so that veth0 need not answer for it",
    },
    {
      kind: "route",
      where: "node",
      family,
      destination: hostCidr(address),
      device: pair.node.name,
      source: node,
      table: MAIN_TABLE,
      reason:
        "node to pod (kubelet probes, Services on this node), with the InternalIP: a macvlan parent does not reach its own children",
    },
    ...planRoutesViaNode(facts, nodePath, connected),
    planRouteViaNode(nodePath, "default", VETH_TABLE, "replies to packets that arrived by veth0, to any client"),
    {
      kind: "rule",
      where: "pod",
      family,
      priority: numbers.podMarkPriority,
      mark: VETH_MARK,
      mask: VETH_MARK,
      table: VETH_TABLE,
      reason: "replies to what came in by veth0 (NodePort with its source kept) go back the same way",
    },
  ];
}
