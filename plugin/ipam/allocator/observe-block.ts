import type { AddressBlock, BlockAddress } from "../pool/address-blocks.ts";
import { type BlockNode, divideAddresses, sortForNode } from "../pool/divide-addresses.ts";
import type { BlockView } from "../records/address-store.ts";
import { readWaitingCalls } from "../records/waiting-calls.ts";

/** Free addresses for each waiting call below which nodes may want the same ones. */
const SCARCE = 4;

/** A node, as far as the choice of an address depends on it. */
interface ObservingNode {
  readonly name: string;
  /** Calls of this node that wait for an address of the block. */
  readonly waiting: number;
  readonly isFree: (address: BlockAddress) => boolean;
}

/** A block as a node sees it. */
export interface ObservedBlock {
  /** Free addresses, in the order in which this node takes them if it prefers none. */
  readonly free: readonly BlockAddress[];
  /** Free addresses that this node should take before other nodes do, in this order. */
  readonly preferred: readonly BlockAddress[];
  /** Free addresses that no waiting call of another node needs. */
  readonly spare: readonly BlockAddress[];
  /** Whether this node holds addresses of the block, so that other nodes know of it. */
  readonly isKnown: boolean;
  /** Number of nodes that hold addresses of the block, with this one. */
  readonly nodes: number;
  /** Whether the waiting calls of all nodes need a fourth of the free addresses. */
  readonly isScarce: boolean;
}

/** Observes the free addresses of a block and whose they are. */
export function observeBlock({ addresses }: AddressBlock, view: BlockView, node: ObservingNode): ObservedBlock {
  const listedNodes = listNodes(view);
  const isKnown = listedNodes.some(({ name }) => name === node.name);
  // Of calls that the others do not know of, this node must not assume that addresses are left to them.
  const nodes = listedNodes.map((listedNode) =>
    listedNode.name === node.name && listedNode.waiting > 0 ? node : listedNode,
  );
  const free = sortForNode(addresses.filter(node.isFree), node.name);
  const isFree = new Set(free);
  const division = divideAddresses(addresses, (address) => isFree.has(address), nodes);
  const needed = new Set(
    nodes.flatMap(({ name, waiting }) => (name === node.name ? [] : (division.get(name)?.slice(0, waiting) ?? []))),
  );
  const nodeCount = nodes.length + (isKnown ? 0 : 1);
  // Nodes that start at the same moment do not know each other's calls yet: they are probably as many as this node's.
  const knownCalls = nodes.reduce((sum, { waiting }) => sum + waiting, 0);
  const wanted = Math.max(nodeCount * node.waiting, knownCalls);
  return {
    free,
    preferred: division.get(node.name) ?? [],
    spare: free.filter((address) => !needed.has(address)),
    isKnown,
    nodes: nodeCount,
    isScarce: nodeCount > 1 && SCARCE * wanted > free.length,
  };
}

/** Lists the nodes that hold addresses, each with the number of waiting calls that its last object has. */
function listNodes(view: BlockView): readonly BlockNode[] {
  const last = new Map<string, { readonly version: number; readonly waiting: number }>();
  for (const { metadata, spec } of view.values()) {
    const version = Number(metadata.resourceVersion);
    if ((last.get(spec.node)?.version ?? -1) < version)
      last.set(spec.node, { version, waiting: readWaitingCalls(metadata.annotations) });
  }
  return [...last].map(([name, { waiting }]) => ({ name, waiting }));
}
