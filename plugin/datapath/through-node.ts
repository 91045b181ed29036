import { type Cidr, type Family, familyOf, hostCidr, type Ip } from "./address.ts";
import type { Facts } from "./facts.ts";
import { MAIN_TABLE, type RouteItem } from "./plan.ts";

/** A pod's way to its node in one family. */
export interface NodeWay {
  /** The node's address that Kubernetes knows. */
  readonly node: Ip;
  /** The pod's link to the node. */
  readonly device: string;
  /** The pod's address that speaks by this link. */
  readonly source: Ip;
}

/** The node's address of a family: undefined if it has none, and then the family is not wired. */
export function nodeAddress(facts: Facts, family: Family): Ip | undefined {
  return facts.node.addresses.find((address) => familyOf(address) === family);
}

/** The pod's main table: what exists on or behind the node alone, in the seed's form. */
export function routesThroughNode(facts: Facts, way: NodeWay): readonly RouteItem[] {
  const family = familyOf(way.node);
  const behind = (list: readonly Cidr[], reason: string) =>
    list
      .filter((cidr) => familyOf(cidr) === family && cidr !== hostCidr(way.node))
      .map((cidr) => viaNode(way, cidr, MAIN_TABLE, reason));
  return [
    toNode(way, MAIN_TABLE),
    ...behind(
      facts.node.addresses.map(hostCidr),
      "another of the node's addresses: a pod's kernel finds no way to it by macvlan",
    ),
    ...behind(facts.overlayCidrs, "overlay pods are reached through the node, which knows their blocks"),
    ...behind(facts.serviceCidrs, "Services exist on the node alone: kube-proxy translates there"),
    ...behind(facts.hijackCidrs, "configured to be reached through the node"),
  ];
}

export function toNode({ node, device, source }: NodeWay, table: number): RouteItem {
  return {
    kind: "route",
    where: "pod",
    family: familyOf(node),
    destination: hostCidr(node),
    device,
    source,
    table,
    reason: "pod to its own node: by macvlan there is no way",
  };
}

export function viaNode(
  { node, device, source }: NodeWay,
  destination: Cidr | "default",
  table: number,
  reason: string,
): RouteItem {
  return {
    kind: "route",
    where: "pod",
    family: familyOf(node),
    destination,
    gateway: node,
    device,
    source,
    table,
    reason,
  };
}
