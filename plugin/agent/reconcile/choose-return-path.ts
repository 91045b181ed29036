import { type Cidr, containsIp, getFamily, type Ip } from "../../datapath/address.ts";
import type { Facts, ReturnPath } from "../../datapath/facts.ts";
import { findSetting } from "../discovery/config-map-settings.ts";

/** An UnderlayPool that gives addresses on this node. */
export interface PoolOnNode {
  readonly name: string;
  readonly subnet: Cidr;
  /** Nodes of the cluster whose InternalIP is outside of the subnet, by the controller's count. */
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
 * Finds out whether the replies to this node's underlay pods cross a router: those from a node that is not connected to the
 * pods' subnet. A router or firewall that has not seen the request drops them if it is stateful.
 *
 * Only InternalIPs of other nodes are known. If this node is connected to the subnet by another link than that of its
 * InternalIP, other nodes are assumed to be so, too.
 * @returns the reason in one sentence; undefined where no router is between them
 */
export function findRouter({ pools, internalAddresses, linkAddresses }: RouterInput): string | undefined {
  for (const { name, subnet, nodesOutside } of pools) {
    if (nodesOutside.count === 0) continue;
    const inSubnet = (address: Ip): boolean => getFamily(address) === getFamily(subnet) && containsIp(subnet, address);
    if (!internalAddresses.some(inSubnet) && linkAddresses.some(inSubnet)) continue;
    const others = nodesOutside.count === 1 ? "" : ` and ${nodesOutside.count - 1} more`;
    return `UnderlayPool ${name} has the subnet ${subnet}, and node ${nodesOutside.example}${others} is outside of it: replies from there cross a router, which may drop what it has seen in one direction only.`;
  }
  return undefined;
}

/** Setting by which the agent chooses; the default. */
const AUTOMATIC = "auto";

/** Chooses snat where a router would see one direction only, unless ConfigMap interlay-config names a return path. Pure. */
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
