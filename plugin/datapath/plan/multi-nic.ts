import { getFamily, hostCidr, type Ip } from "../address.ts";
import type { Facts } from "../facts.ts";
import type { RoutingIds } from "./routing-ids.ts";
import { MAIN_TABLE, type Plan, type PlanItem } from "../plan-item.ts";
import { type NodePath, findNodeAddress, planRoutesViaNode, planRouteToNode } from "./node-routes.ts";
import { NIC_TABLE_BASE, type NodeLink, type NicAddress, type SecondaryAttachment } from "./secondary-attachment.ts";
import { planNicTable } from "./nic-table.ts";

/**
 * Plans a macvlan NIC next to the pod's main NIC. Packets from each address leave by its own link; the node reaches it by the anchor,
 * the pod's link to the node.
 */
export function planSecondaryNic(facts: Facts, attachment: SecondaryAttachment): Plan {
  const { anchor: nodeLink, numbers } = attachment;
  const connected = attachment.addresses.map(({ network }) => network);
  return {
    items: attachment.addresses.flatMap((nicAddress): readonly PlanItem[] => {
      const family = getFamily(nicAddress.ip);
      const node = findNodeAddress(facts, family);
      if (node === undefined) return [];
      const overlayAddress = attachment.overlay
        ? nodeLink.addresses.find((address) => getFamily(address) === family)
        : undefined;
      return [
        {
          kind: "neighbour",
          where: "pod",
          device: nodeLink.podLink,
          address: node,
          mac: nodeLink.nodeMac,
          reason: "the node's address is not on its end of this link: for IPv6 it would not answer (RFC 4861, 7.2.3)",
        },
        ...planNodeSide(nodeLink, nicAddress.ip, node, numbers),
        ...(overlayAddress === undefined
          ? []
          : planRoutesViaNode(facts, { node, device: nodeLink.podLink, source: overlayAddress }, connected)),
        ...planNicTable(facts, attachment, nicAddress, { node, device: nodeLink.podLink, source: nicAddress.ip }),
        ...(overlayAddress === undefined
          ? []
          : planOverlayTable(nodeLink, { node, device: nodeLink.podLink, source: overlayAddress }, numbers)),
        ...planDefaultRoute(attachment, nicAddress),
      ];
    }),
  };
}

function planNodeSide(nodeLink: NodeLink, address: Ip, node: Ip, numbers: RoutingIds): readonly PlanItem[] {
  const family = getFamily(address);
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
  const family = getFamily(gateway);
  const instead = defaultInsteadOf.find((route) => getFamily(route.gateway) === family);
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

/** Plans the table of the overlay address. Without it replies to underlay pods leave by net1 and are INVALID on the client's node. */
function planOverlayTable(nodeLink: NodeLink, nodePath: NodePath, numbers: RoutingIds): readonly PlanItem[] {
  const overlayAddress = nodePath.source;
  const family = getFamily(overlayAddress);
  const gateway = nodeLink.gateways.find((gatewayAddress) => getFamily(gatewayAddress) === family);
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
      source: overlayAddress,
      table,
      onlink: true,
      reason: "packets from the overlay address leave by the overlay's link",
    },
    {
      kind: "rule",
      where: "pod",
      family,
      priority: numbers.podRulePriority,
      from: overlayAddress,
      table,
      reason:
        "a reply from the overlay address to an underlay pod would leave by net1 otherwise (spiderpool issue 3683)",
    },
  ];
}
