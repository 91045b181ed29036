import { type Cidr, containsNetwork, type Family, getFamily, hostCidr, type Ip } from "../address.ts";
import type { Facts } from "../facts.ts";
import { MAIN_TABLE, type RouteItem } from "../plan-item.ts";

/** A pod's path to its node in one family. */
export interface NodePath {
  /** The node's InternalIP. */
  readonly node: Ip;
  /** The pod's link to the node. */
  readonly device: string;
  /** The pod's source address on this link. */
  readonly source: Ip;
}

/** Finds the node's InternalIP of a family; undefined if it has none. */
export function findNodeAddress(facts: Facts, family: Family): Ip | undefined {
  return facts.node.addresses.find((address) => getFamily(address) === family);
}

/**
 * Plans the routes of one of a pod's tables to destinations that only its node reaches.
 * @param connected networks of the pod's own NICs: routes that contain one of them would take traffic off the wire and are left out
 */
export function planRoutesViaNode(
  facts: Facts,
  nodePath: NodePath,
  connected: readonly Cidr[],
  table = MAIN_TABLE,
): readonly RouteItem[] {
  const planned = planRoutesToNodeAddresses(facts, nodePath, table);
  const destinations = new Set<Cidr | "default">(planned.map(({ destination }) => destination));
  const routes: RouteItem[] = [];
  const add = (destination: Cidr, reason: string): void => {
    if (getFamily(destination) !== getFamily(nodePath.node) || destinations.has(destination)) return;
    if (connected.some((network) => containsNetwork(destination, network))) return;
    destinations.add(destination);
    routes.push(planRouteViaNode(nodePath, destination, table, reason));
  };
  for (const cidr of facts.overlayCidrs)
    add(cidr, "overlay pods are reached through the node, which knows their blocks");
  for (const cidr of facts.serviceCidrs) add(cidr, "Services exist on the node alone: kube-proxy translates there");
  for (const cidr of facts.hijackCidrs) add(cidr, "configured to be reached through the node");
  for (const { destination, reason } of facts.viaNode) add(destination, reason);
  return [...planned, ...routes];
}

/** Plans the routes to every address of the pod's own node, in one of the pod's tables. */
function planRoutesToNodeAddresses(facts: Facts, nodePath: NodePath, table: number): readonly RouteItem[] {
  const others = [...facts.node.addresses, ...facts.node.otherAddresses]
    .filter((address) => getFamily(address) === getFamily(nodePath.node) && address !== nodePath.node)
    .map(hostCidr);
  return [
    planRouteToNode(nodePath, table),
    ...[...new Set(others)].map((cidr) =>
      planRouteViaNode(nodePath, cidr, table, "another address of the node, which macvlan does not reach"),
    ),
  ];
}

/** Plans the host route of the pod to its node. */
export function planRouteToNode({ node, device, source }: NodePath, table: number): RouteItem {
  return {
    kind: "route",
    where: "pod",
    family: getFamily(node),
    destination: hostCidr(node),
    device,
    source,
    table,
    reason: "pod to its own node: macvlan does not connect them",
  };
}

/** Plans a route of the pod whose gateway is its node. */
export function planRouteViaNode(
  { node, device, source }: NodePath,
  destination: Cidr | "default",
  table: number,
  reason: string,
): RouteItem {
  return {
    kind: "route",
    where: "pod",
    family: getFamily(node),
    destination,
    gateway: node,
    device,
    source,
    table,
    reason,
  };
}
