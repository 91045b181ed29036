import { type Cidr, getFamily, type Ip } from "../address.ts";
import type { Facts } from "../facts.ts";
import type { PlanItem, RouteItem } from "../plan-item.ts";
import { type NodePath, planRoutesViaNode, planRouteToNode } from "./node-routes.ts";
import { NIC_TABLE_BASE, type NicAddress, type NicRoute, type SecondaryAttachment } from "./secondary-attachment.ts";

/** Plans the routing table of one link: packets from its address leave by it, except to destinations that only the node reaches. */
export function planNicTable(
  facts: Facts,
  attachment: SecondaryAttachment,
  nicAddress: NicAddress,
  nodePath: NodePath,
): readonly PlanItem[] {
  const { ifname, linkIndex, numbers } = attachment;
  const family = getFamily(nicAddress.ip);
  const table = NIC_TABLE_BASE + linkIndex;
  const network: RouteItem = {
    ...({ kind: "route", where: "pod", family, device: ifname, source: nicAddress.ip, table } as const),
    destination: nicAddress.network,
    reason: `the network of ${ifname}`,
  };
  return [
    ...uniqueByDestination([
      network,
      ...planRepliesViaNode(facts, nodePath, [nicAddress.network], table),
      ...planRoutesToNodeEnd(attachment, nicAddress),
      ...planNicRoutes(attachment, nicAddress, table),
    ]),
    {
      kind: "rule",
      where: "pod",
      family,
      priority: numbers.podRulePriority,
      from: nicAddress.ip,
      table,
      reason: `packets from ${ifname}'s address leave by ${ifname}`,
    },
  ];
}

/** Keeps the first route to each destination, because a table can have only one. */
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

/** Plans the link's own routes and its default route. */
function planNicRoutes(
  { ifname, routes = [] }: SecondaryAttachment,
  nicAddress: NicAddress,
  table: number,
): readonly RouteItem[] {
  const family = getFamily(nicAddress.ip);
  const isOfFamily = (destination: Ip | Cidr | "default" | undefined): boolean =>
    destination === undefined || destination === "default" || getFamily(destination) === family;
  const desiredRoutes: readonly NicRoute[] = [
    ...routes,
    ...(nicAddress.gateway === undefined ? [] : [{ destination: "default" as const, gateway: nicAddress.gateway }]),
  ];
  return desiredRoutes
    .filter(({ destination, gateway }) => isOfFamily(destination) && isOfFamily(gateway))
    .flatMap(({ destination, gateway = nicAddress.gateway }): readonly RouteItem[] => {
      if (destination === "default" && gateway === undefined) return [];
      return [
        {
          ...({ kind: "route", where: "pod", family, device: ifname, source: nicAddress.ip, table } as const),
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

/** Plans routes to the addresses of the node's end: the node masquerades forwarded packets with them. */
function planRoutesToNodeEnd(
  { anchor: nodeLink, linkIndex }: SecondaryAttachment,
  { ip }: NicAddress,
): readonly RouteItem[] {
  return nodeLink.nodeAddresses
    .filter((address) => getFamily(address) === getFamily(ip))
    .map((address) => ({
      ...planRouteToNode({ node: address, device: nodeLink.podLink, source: ip }, NIC_TABLE_BASE + linkIndex),
      reason: "the node masquerades by its end's own address: the reply goes back there, not by the wire",
    }));
}
