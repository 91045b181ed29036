import type { Link } from "../netlink/link.ts";
import { RTM_ROUTE, decodeRoute, encodeRouteDump } from "../netlink/route.ts";
import { familyOf, type Ip, parseIp } from "./address.ts";
import type { Facts } from "./facts.ts";
import type { Namespace } from "./kernel.ts";
import { type ExtraAddress, NIC_TABLE_BASE, planExtraNic } from "./multi-nic.ts";
import { POD_LINK } from "./names.ts";
import { MAIN_TABLE, type Plan } from "./plan.ts";
import { planUnderlay } from "./underlay.ts";

export interface PodNic {
  readonly containerId: string;
  readonly ifname: string;
  readonly addresses: readonly ExtraAddress[];
  readonly mode: "auto" | "underlay" | "overlay";
  /** Bytes, of our pair; the NIC's own if undefined. */
  readonly mtu?: number;
  readonly txQueueLength?: number;
}

/** The pod's first NIC by every runtime's convention. */
const MAIN_NIC = "eth0";

/** Throws with one sentence when the pod is not one that can be wired. */
export class UnfitPodError extends Error {}

/** Reads what is in the pod and decides which plan is its own. */
export function planFor(facts: Facts, nic: PodNic, node: Namespace, pod: Namespace): Plan {
  const link = pod.findLink(nic.ifname);
  if (link === undefined)
    throw new UnfitPodError(`the pod has no link ${nic.ifname}, though the previous plugin said so`);
  const first = nic.ifname === MAIN_NIC || pod.findLink(MAIN_NIC) === undefined;
  if (first) {
    const underlay = nic.mode === "underlay" || (nic.mode === "auto" && !leadsToNode(link));
    return underlay
      ? planUnderlay(facts, { ...nic, addresses: nic.addresses.map((a) => a.ip), mtu: nic.mtu ?? link.mtu })
      : { items: [] };
  }

  const ours = pod.findLink(POD_LINK);
  const main = pod.findLink(MAIN_NIC);
  const anchorLink = ours ?? main;
  if (anchorLink?.kind !== "veth" || anchorLink.link === undefined)
    throw new UnfitPodError(
      `${nic.ifname} needs a way to the node, but the pod's ${MAIN_NIC} is ${main?.kind ?? "missing"} and there is no ${POD_LINK}: attach the overlay first, or put interlay behind ${MAIN_NIC}'s plugin`,
    );
  const nodeEnd = node.findLinkByIndex(anchorLink.link);
  if (nodeEnd === undefined)
    throw new UnfitPodError(`the node has no link ${anchorLink.link}, the other end of the pod's ${anchorLink.name}`);
  return planExtraNic(facts, {
    ifname: nic.ifname,
    linkIndex: link.index,
    addresses: nic.addresses,
    overlay: ours === undefined,
    anchor: {
      podLink: anchorLink.name,
      podLinkIndex: anchorLink.index,
      podMac: anchorLink.mac,
      nodeLink: nodeEnd.name,
      nodeMac: nodeEnd.mac,
      addresses: globalAddresses(pod, anchorLink.index),
      gateways: defaultGateways(pod, anchorLink.index),
    },
  });
}

/** The other end of a veth is in the node's namespace: Calico's, bridge's, ptp's pods reach their node by it. */
function leadsToNode(link: Link): boolean {
  return link.kind === "veth";
}

function globalAddresses(pod: Namespace, link: number): readonly Ip[] {
  return pod
    .addresses()
    .filter((address) => address.index === link && address.scope === 0)
    .map(({ address }) => parseIp(address));
}

function defaultGateways(pod: Namespace, link: number): readonly Ip[] {
  return (["ipv4", "ipv6"] as const).flatMap((family) =>
    pod.socket
      .dump("routes", RTM_ROUTE.get, encodeRouteDump(family))
      .flatMap((message) => decodeRoute(message.payload) ?? [])
      // its own table has it when another NIC has been made the default one meanwhile
      .filter(({ table }) => table === MAIN_TABLE || table === NIC_TABLE_BASE + link)
      .filter((route) => route.destination === undefined && route.link === link)
      .flatMap((route) => (route.gateway === undefined ? [] : [parseIp(route.gateway)]))
      .filter((gateway) => familyOf(gateway) === family),
  );
}
