import { type Family, type Ip } from "../../datapath/address.ts";
import { spacesOverlap, type PoolSpaces, type NodeShard } from "./address-space.ts";

/** A valid UnderlayPool: its addresses, and the pods that it is for. */
export interface Pool {
  readonly name: string;
  readonly created: string;
  readonly spaces: PoolSpaces;
  readonly routes: readonly { readonly dst: string; readonly gw?: string | undefined }[];
  /** Pools with a smaller value are preferred. */
  readonly priority: number;
  /** Number of addresses that each selected node reserves in advance. */
  readonly reservePerNode: number;
  readonly nodeLabels?: Labels;
  readonly namespaceLabels?: Labels;
  readonly podLabels?: Labels;
}

type Labels = Readonly<Record<string, string>>;

/** The pod that requests an address, as far as pool selection depends on it. */
export interface PoolConsumer {
  readonly nodeLabels: Labels;
  readonly namespaceLabels: Labels;
  readonly podLabels: Labels;
  /** Pools that the network's configuration names, preferred first; empty: all pools. */
  readonly pools: readonly string[];
}

/**
 * Finds pools that overlap an older pool. They allocate nothing, because two pools would allocate the same address.
 *
 * @returns name of the newer pool -> name of the older one
 */
export function findOverlappingPools(pools: readonly Pool[]): ReadonlyMap<string, string> {
  const inOrder = [...pools].sort((a, b) => a.created.localeCompare(b.created) || a.name.localeCompare(b.name));
  const found = new Map<string, string>();
  for (const [i, newer] of inOrder.entries()) {
    const older = inOrder.slice(0, i).find((p) => !found.has(p.name) && spacesOverlap(p.spaces.all, newer.spaces.all));
    if (older !== undefined) found.set(newer.name, older.name);
  }
  return found;
}

/**
 * Selects the pools that a pod may use, preferred first. A pool's selectors always apply; the list of a network restricts and
 * orders the pools.
 */
export function selectPools(pools: readonly Pool[], consumer: PoolConsumer): readonly Pool[] {
  const bad = findOverlappingPools(pools);
  return pools
    .filter(({ name }) => !bad.has(name))
    .filter(({ name }) => consumer.pools.length === 0 || consumer.pools.includes(name))
    .filter((pool) => selects(pool, consumer))
    .sort(
      (a, b) =>
        consumer.pools.indexOf(a.name) - consumer.pools.indexOf(b.name) ||
        // Pools with selectors are preferred to those without.
        selectivity(b) - selectivity(a) ||
        a.priority - b.priority ||
        a.name.localeCompare(b.name),
    );
}

function selects(pool: Pool, { nodeLabels, namespaceLabels, podLabels }: PoolConsumer): boolean {
  return (
    matchesLabels(pool.nodeLabels, nodeLabels) &&
    matchesLabels(pool.namespaceLabels, namespaceLabels) &&
    matchesLabels(pool.podLabels, podLabels)
  );
}

export function matchesLabels(wanted: Labels = {}, has: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => has[key] === value);
}

function selectivity(pool: Pool): number {
  return [pool.nodeLabels, pool.namespaceLabels, pool.podLabels].filter((labels) => labels !== undefined).length;
}

/** Lists the IP families of pools, IPv4 first. */
export function listFamilies(pools: readonly Pool[]): readonly Family[] {
  return (["ipv4", "ipv6"] as const).filter((family) => pools.some(({ spaces }) => spaces.free.family === family));
}

/** Finds the pool that may allocate this address, at least on request. */
export function findPool(pools: readonly Pool[], ip: Ip): Pool | undefined {
  return pools.find(({ spaces }) => spaces.all.has(ip));
}

/** Assigns a part of a pool to a node. The nodes that hold addresses of the pool share it; all nodes compute the same parts. */
export function findShard(node: string, holders: Iterable<string>): NodeShard {
  const nodes = [...new Set([node, ...holders])].sort();
  return { index: nodes.indexOf(node), count: nodes.length };
}
