import { existsSync } from "node:fs";
import type { Link } from "../../netlink/link.ts";
import { RTM_ROUTE, decodeRoute, encodeRouteDump } from "../../netlink/route.ts";
import { getFamily, type Ip, parseIp } from "../address.ts";
import { readConnectedNetworks } from "./connected-routes.ts";
import type { NetworkNamespace } from "../kernel.ts";
import { planMac } from "./mac-prefix.ts";
import { POD_LINK } from "../names.ts";
import type { RoutingIds } from "./routing-ids.ts";
import { MAIN_TABLE } from "../plan-item.ts";
import type { NicSurvey } from "./build-plan.ts";
import { planAdvertisementSysctls } from "./advertisement-sysctls.ts";
import { type DefaultRoute, type NicAddress, NIC_TABLE_BASE, type NicRoute } from "./secondary-attachment.ts";

export interface NicRequest {
  readonly containerId: string;
  readonly ifname: string;
  readonly addresses: readonly NicAddress[];
  /** Routes that the previous plugin created on this NIC. */
  readonly routes?: readonly NicRoute[];
  readonly mode: "auto" | "underlay" | "overlay";
  /** MTU of Interlay's pair in bytes; the NIC's if undefined. */
  readonly mtu?: number;
  readonly txQueueLength?: number;
  /** The link that gets the pod's default routes; if undefined, they are not changed. */
  readonly defaultRouteNic?: string;
  /** Set if the link is from the pod's annotation: the agent knows all NICs of the pod, also those that are attached later. */
  readonly defaultRouteNicKnown?: true;
  readonly numbers: RoutingIds;
  readonly macPrefix?: string;
  readonly acceptRouterAdvertisements?: true;
}

/** Name of a pod's first NIC in every runtime. */
const MAIN_NIC = "eth0";

/** Thrown if a pod cannot be attached; the message is one sentence. */
export class UnsupportedPodError extends Error {}

/**
 * Reads a pod's NIC from the kernel and decides which plan it needs.
 *
 * @returns undefined if the NIC needs no plan, because it connects the pod to the node
 * @throws UnsupportedPodError
 */
export function surveyNic(nic: NicRequest, node: NetworkNamespace, pod: NetworkNamespace): NicSurvey | undefined {
  const link = pod.findLink(nic.ifname);
  if (link === undefined)
    throw new UnsupportedPodError(`the pod has no link ${nic.ifname}, although the previous plugin reported it`);
  const addresses = nic.addresses.map((address) => address.ip);
  const common = {
    first: [
      ...planMac(nic.macPrefix, nic.ifname, addresses[0]),
      ...(hasIpv6(nic.ifname, pod)
        ? planAdvertisementSysctls(nic.ifname, nic.acceptRouterAdvertisements === true)
        : []),
    ],
    connected: readConnectedNetworks(pod, link.index, addresses),
  };
  const defaultNic = findDefaultRouteNic(nic, pod);
  const isFirst = nic.ifname === MAIN_NIC || pod.findLink(MAIN_NIC) === undefined;
  if (isFirst) {
    const underlay = nic.mode === "underlay" || (nic.mode === "auto" && !isLinkToNode(link));
    if (!underlay) return undefined;
    const { containerId, ifname, numbers, txQueueLength } = nic;
    return {
      ...common,
      type: "underlay",
      nic: {
        containerId,
        ifname,
        addresses: nic.addresses,
        mtu: nic.mtu ?? link.mtu,
        ...(nic.mtu === undefined ? {} : { mtuChosen: true as const }),
        ...(txQueueLength === undefined ? {} : { txQueueLength }),
        numbers,
      },
    };
  }

  const pairLink = pod.findLink(POD_LINK);
  const mainLink = pod.findLink(MAIN_NIC);
  const anchorLink = pairLink ?? mainLink;
  if (anchorLink?.kind !== "veth" || anchorLink.link === undefined)
    throw new UnsupportedPodError(
      `${nic.ifname} needs a path to the node, but the pod's ${MAIN_NIC} is ${mainLink?.kind ?? "missing"} and ${POD_LINK} does not exist: attach the overlay first, or add interlay after ${MAIN_NIC}'s plugin`,
    );
  const nodeEnd = node.findLinkByIndex(anchorLink.link);
  if (nodeEnd === undefined)
    throw new UnsupportedPodError(
      `the node has no link ${anchorLink.link}, the other end of the pod's ${anchorLink.name}`,
    );
  const attachment = {
    ifname: nic.ifname,
    linkIndex: link.index,
    addresses: nic.addresses,
    ...(nic.routes === undefined ? {} : { routes: nic.routes }),
    overlay: pairLink === undefined,
    numbers: nic.numbers,
    ...(defaultNic === nic.ifname ? { defaultInsteadOf: readOtherDefaultRoutes(pod, link.index, anchorLink) } : {}),
    anchor: {
      podLink: anchorLink.name,
      podLinkIndex: anchorLink.index,
      podMac: anchorLink.mac,
      nodeLink: nodeEnd.name,
      nodeMac: nodeEnd.mac,
      nodeAddresses: readGlobalAddresses(node, nodeEnd.index),
      addresses: readGlobalAddresses(pod, anchorLink.index),
      gateways: readDefaultGateways(pod, anchorLink.index),
    },
  };
  return { ...common, type: "multi-nic", nic: attachment };
}

/**
 * Returns the NIC that must have the default route. It must exist, or be one that Multus attaches later (net2 after net1);
 * its own ADD validates it then.
 *
 * @throws UnsupportedPodError if neither is the case
 */
function findDefaultRouteNic(nic: NicRequest, pod: NetworkNamespace): string | undefined {
  const { defaultRouteNic: requested, ifname, addresses } = nic;
  if (requested === undefined) return undefined;
  if (requested === ifname && ifname !== MAIN_NIC && !addresses.some(({ gateway }) => gateway !== undefined))
    throw new UnsupportedPodError(`${ifname} was chosen to have the default route, but it was given no gateway`);
  if (nic.defaultRouteNicKnown === true || pod.findLink(requested) !== undefined || isAttachedLater(requested, ifname))
    return requested;
  const links = pod.listLinks().filter(({ name }) => name !== "lo" && name !== POD_LINK);
  throw new UnsupportedPodError(
    `${requested} was chosen to have the default route, but the pod's NICs are ${links.map(({ name }) => name).join(", ")}`,
  );
}

function isAttachedLater(requested: string, ifname: string): boolean {
  const parseNumber = (name: string): number => Number(/^net(\d+)$/.exec(name)?.[1] ?? (name === MAIN_NIC ? 0 : NaN));
  return parseNumber(requested) > parseNumber(ifname);
}

/** Reads the default routes by links other than `excludedLink`. If it has replaced them already, the anchor's own table still has its gateway. */
function readOtherDefaultRoutes(pod: NetworkNamespace, excludedLink: number, nodeLink: Link): readonly DefaultRoute[] {
  const byAnchor = readDefaultGateways(pod, nodeLink.index).map((gateway) => ({ gateway, device: nodeLink.name }));
  const byOtherLinks = pod
    .listLinks()
    .filter(({ index }) => index !== excludedLink && index !== nodeLink.index)
    .flatMap(({ index, name }) => readDefaultGateways(pod, index).map((gateway) => ({ gateway, device: name })));
  return [...byAnchor, ...byOtherLinks];
}

/** Reports whether a link has IPv6 sysctls: they are missing if the kernel or the namespace has no IPv6. */
function hasIpv6(link: string, pod: NetworkNamespace): boolean {
  return pod.run(() => existsSync(`/proc/sys/net/ipv6/conf/${link}`));
}

/** Reports whether a link connects the pod to its node, as the veth links of Calico, bridge and ptp do. */
function isLinkToNode(link: Link): boolean {
  return link.kind === "veth";
}

function readGlobalAddresses(pod: NetworkNamespace, link: number): readonly Ip[] {
  return pod
    .listAddresses()
    .filter((address) => address.index === link && address.scope === 0)
    .map(({ address }) => parseIp(address));
}

function readDefaultGateways(pod: NetworkNamespace, link: number): readonly Ip[] {
  return (["ipv4", "ipv6"] as const).flatMap((family) =>
    pod.socket
      .dump("routes", RTM_ROUTE.get, encodeRouteDump(family))
      .flatMap((message) => decodeRoute(message.payload) ?? [])
      // it is in the NIC's own table if another NIC has become the default one
      .filter(({ table }) => table === MAIN_TABLE || table === NIC_TABLE_BASE + link)
      .filter((route) => route.destination === undefined && route.link === link)
      .flatMap((route) => (route.gateway === undefined ? [] : [parseIp(route.gateway)]))
      .filter((gateway) => getFamily(gateway) === family),
  );
}
