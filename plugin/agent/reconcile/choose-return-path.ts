import { type Cidr, containsIp, getFamily, type Ip } from "../../datapath/address.ts";
import type { Facts, ReturnPath } from "../../datapath/facts.ts";
import { findSetting } from "../discovery/config-map-settings.ts";

/** An UnderlayPool that serves this node. */
export interface PoolOnNode {
  readonly name: string;
  readonly subnet: Cidr;
  /** Number of the cluster's nodes whose InternalIP is outside of the subnet, as the controller counted them. */
  readonly nodesOutside: { readonly count: number; readonly example: string };
}

/** Input of the decision whether a router is between this node's underlay pods and other nodes. */
export interface RouterInput {
  readonly pools: readonly PoolOnNode[];
  /** InternalIPs of this node. */
  readonly internalAddresses: readonly Ip[];
  /** Every address of this node's links. */
  readonly linkAddresses: readonly Ip[];
}

/**
 * Finds out whether replies to this node's underlay pods cross a router: replies from nodes that are not connected to the
 * pods' subnet do. A stateful router or firewall drops a reply whose request it has not seen.
 *
 * Only InternalIPs of other nodes are known. If this node is connected to the subnet by another link than that of its
 * InternalIP, other nodes are assumed to be connected in the same way.
 * @returns the reason in one sentence; undefined if no router is between them
 */
export function findRouter({ pools, internalAddresses, linkAddresses }: RouterInput): string | undefined {
  for (const { name, subnet, nodesOutside } of pools) {
    if (nodesOutside.count === 0) continue;
    const inSubnet = (address: Ip): boolean => getFamily(address) === getFamily(subnet) && containsIp(subnet, address);
    if (!internalAddresses.some(inSubnet) && linkAddresses.some(inSubnet)) continue;
    const andMore = nodesOutside.count === 1 ? "" : ` and ${nodesOutside.count - 1} more`;
    return `UnderlayPool ${name} has the subnet ${subnet}, and node ${nodesOutside.example}${andMore} is outside of it: replies from there cross a router, which may drop what it has seen in one direction only.`;
  }
  return undefined;
}

/** Default of the setting returnPath: the agent chooses. */
const AUTOMATIC = "auto";

/** Chooses snat if a router would see only one direction, unless ConfigMap interlay-config names a return path. Pure. */
export function chooseReturnPath(facts: Facts, settings: Readonly<Record<string, string>>, router: RouterInput): Facts {
  const configured = findSetting(settings, facts.node.name, "returnPath")?.value ?? AUTOMATIC;
  if (configured !== AUTOMATIC) return facts;
  const reason = findRouter(router);
  const [returnPath, because]: readonly [ReturnPath, string] =
    reason === undefined
      ? ["notrack", "No router is between this node's underlay pods and other nodes."]
      : ["snat", reason];
  return { ...facts, returnPath, sources: { ...facts.sources, returnPath: because } };
}
