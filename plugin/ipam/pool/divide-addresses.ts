import type { BlockAddress } from "./address-blocks.ts";
import { hashText, mixBits } from "./hash-text.ts";

/** A node that holds addresses of a block. */
export interface BlockNode {
  readonly name: string;
  /** Calls of the node that wait for an address of the block. */
  readonly waiting: number;
}

interface HashedNode extends BlockNode {
  readonly hash: number;
}

type Division = ReadonlyMap<string, readonly BlockAddress[]>;

/**
 * Divides the free addresses of a block among the nodes that hold addresses of it, so that one node prefers each. All nodes compute
 * the same from the same objects.
 *
 * Each node has an equal share of the block, by rendezvous hashing. What a node does not need of its share now is divided among the
 * nodes whose waiting calls need more than theirs.
 *
 * @param addresses all addresses of the block
 * @param isFree returns whether an address is free
 * @returns node -> its free addresses; the node takes the first one first, other nodes the last one
 */
export function divideAddresses(
  addresses: readonly BlockAddress[],
  isFree: (address: BlockAddress) => boolean,
  nodes: readonly BlockNode[],
): Division {
  const hashed = nodes
    .map((node) => ({ ...node, hash: hashText(node.name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const share = Math.ceil(addresses.length / Math.max(1, hashed.length));
  const shares = assignAddresses(addresses, hashed, () => share);
  const freeShares = new Map(
    hashed.map(({ name, hash }) => [name, sortByRank((shares.get(name) ?? []).filter(isFree), hash)]),
  );
  const countMissing = ({ name, waiting }: BlockNode): number =>
    Math.max(0, waiting - (freeShares.get(name)?.length ?? 0));
  const needy = hashed.filter((node) => countMissing(node) > 0);
  if (needy.length === 0) return freeShares;
  const unneeded = new Set(hashed.flatMap(({ name, waiting }) => freeShares.get(name)?.slice(waiting) ?? []));
  const reassigned = assignAddresses(
    addresses.filter((address) => unneeded.has(address)), // in an order that is the same on all nodes
    needy,
    countMissing,
  );
  const moved = new Set([...reassigned.values()].flat());
  return new Map(
    [...freeShares].map(([name, list]) => [
      name,
      [...list.filter((address) => !moved.has(address)), ...(reassigned.get(name) ?? [])],
    ]),
  );
}

/** Sorts addresses by the rank that a node has for them, highest first. */
export function sortForNode(addresses: readonly BlockAddress[], node: string): readonly BlockAddress[] {
  return sortByRank(addresses, hashText(node));
}

function sortByRank(addresses: readonly BlockAddress[], node: number): readonly BlockAddress[] {
  return addresses
    .map((address) => ({ address, rank: mixBits(node ^ address.hash) }))
    .sort((a, b) => b.rank - a.rank)
    .map(({ address }) => address);
}

/** Assigns each address to the node with the highest rank among those below their limits. */
function assignAddresses(
  addresses: readonly BlockAddress[],
  nodes: readonly HashedNode[],
  getLimit: (node: HashedNode) => number,
): Division {
  const lists = nodes.map((node) => ({ node, limit: getLimit(node), list: [] as BlockAddress[] }));
  for (const address of addresses) {
    let best: (typeof lists)[number] | undefined;
    let highest = -1;
    for (const candidate of lists) {
      const rank = candidate.list.length < candidate.limit ? mixBits(candidate.node.hash ^ address.hash) : -1;
      if (rank <= highest) continue;
      highest = rank;
      best = candidate;
    }
    best?.list.push(address);
  }
  return new Map(lists.map(({ node, list }) => [node.name, list]));
}
