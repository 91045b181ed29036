import { type Family, type Ip } from "../../datapath/address.ts";
import type { PoolSpaces } from "./address-space.ts";
import { type LabelSelector, matchesSelector } from "../../kubernetes/label-selector.ts";
import type { ReservedRange } from "./reservations.ts";
import { RangeIndex } from "./range-index.ts";
import { findPattern } from "./name-pattern.ts";

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
  /** Allocates no new address. */
  readonly disabled: boolean;
  /** For pods whose network, pod and namespace name no pool. */
  readonly isDefault: boolean;
  readonly selection: PoolSelection;
  /** Ranges of the cluster that have an address of the pool; not in `spaces.free`. */
  readonly reservations: readonly ReservedRange[];
}

/** Which pods may use a pool. Every part must hold; an absent part, or an empty list, selects all. */
export interface PoolSelection {
  readonly nodes?: LabelSelector | undefined;
  readonly namespaces?: LabelSelector | undefined;
  readonly pods?: LabelSelector | undefined;
  readonly nodeNames: readonly string[];
  readonly namespaceNames: readonly string[];
  /** Names of networks; `*` stands for any characters. */
  readonly networks: readonly string[];
}

type Labels = Readonly<Record<string, string>>;

/** The node of a pod, as far as pool selection depends on it. */
export interface PoolNode {
  readonly name: string;
  readonly labels: Labels;
}

/** The pod that requests an address, as far as pool selection depends on it. */
export interface PoolConsumer {
  readonly node: PoolNode;
  readonly namespace: { readonly name: string; readonly labels: Labels };
  readonly podLabels: Labels;
  readonly network: string;
  /** Pools that the network's configuration names, preferred first; empty: all pools. */
  readonly networkPools: readonly string[];
  /** Pools that the pod or, as a default, its namespace names, preferred first; empty: none named. */
  readonly preferredPools: readonly string[];
}

/** List of pools -> their overlaps: `parsePools` returns the same list while no pool changes. */
const overlaps = new WeakMap<readonly Pool[], ReadonlyMap<string, string>>();

/**
 * Finds pools that overlap an older pool. They allocate nothing, because two pools would allocate the same address.
 *
 * @returns name of the newer pool -> name of the older one
 */
export function findOverlappingPools(pools: readonly Pool[]): ReadonlyMap<string, string> {
  const cached = overlaps.get(pools);
  if (cached !== undefined) return cached;
  const inOrder = [...pools].sort((a, b) => a.created.localeCompare(b.created) || a.name.localeCompare(b.name));
  const overlapping = new Map<string, string>();
  const older = new RangeIndex();
  for (const { name, spaces } of inOrder) {
    const olderPool = older.findOwner(spaces.all);
    if (olderPool === undefined) older.add(spaces.all, name);
    else overlapping.set(name, olderPool);
  }
  overlaps.set(pools, overlapping);
  return overlapping;
}

/**
 * Selects the pools that a pod may use, preferred first. A pool's selectors always apply. The list of the network restricts and
 * orders the pools, and the list of the pod or namespace does so among those. Without any list, only default pools are selected if
 * there are some. `*` in a list stands for any characters.
 */
export function selectPools(pools: readonly Pool[], consumer: PoolConsumer): readonly Pool[] {
  const { networkPools, preferredPools } = consumer;
  const overlapping = findOverlappingPools(pools);
  const usable = pools.filter(
    (pool) => !overlapping.has(pool.name) && !pool.disabled && selectsConsumer(pool.selection, consumer),
  );
  const lists = [preferredPools, networkPools].filter((list) => list.length > 0);
  const hasDefault = lists.length === 0 && pools.some(({ isDefault }) => isDefault);
  const ranked = usable
    .filter(({ isDefault }) => !hasDefault || isDefault)
    .map((pool) => ({ pool, ranks: lists.map((list) => findPattern(list, pool.name)) }))
    .filter(({ ranks }) => !ranks.includes(-1));
  return ranked
    .sort(
      (a, b) =>
        compareRanks(a.ranks, b.ranks) ||
        // Pools with selectors are preferred to those without.
        countSelectors(b.pool.selection) - countSelectors(a.pool.selection) ||
        a.pool.priority - b.pool.priority ||
        a.pool.name.localeCompare(b.pool.name),
    )
    .map(({ pool }) => pool);
}

function compareRanks(first: readonly number[], second: readonly number[]): number {
  return first.map((rank, index) => rank - (second[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function selectsConsumer(selection: PoolSelection, { node, namespace, podLabels, network }: PoolConsumer): boolean {
  return (
    selectsNode(selection, node) &&
    (selection.namespaceNames.length === 0 || selection.namespaceNames.includes(namespace.name)) &&
    (selection.networks.length === 0 || findPattern(selection.networks, network) !== -1) &&
    matchesSelector(selection.namespaces, namespace.labels) &&
    matchesSelector(selection.pods, podLabels)
  );
}

/** Returns whether pods on a node may use a pool. */
export function selectsNode({ nodes, nodeNames }: PoolSelection, { name, labels }: PoolNode): boolean {
  return (nodeNames.length === 0 || nodeNames.includes(name)) && matchesSelector(nodes, labels);
}

function countSelectors({ nodes, namespaces, pods, nodeNames, namespaceNames, networks }: PoolSelection): number {
  const byNode = nodes !== undefined || nodeNames.length > 0;
  const byNamespace = namespaces !== undefined || namespaceNames.length > 0;
  return [byNode, byNamespace, pods !== undefined, networks.length > 0].filter((holds) => holds).length;
}

/** Lists the IP families of pools, IPv4 first. */
export function listPoolFamilies(pools: readonly Pool[]): readonly Family[] {
  return (["ipv4", "ipv6"] as const).filter((family) => pools.some(({ spaces }) => spaces.free.family === family));
}

/** Finds the pool that may allocate this address, at least on request. */
export function findPool(pools: readonly Pool[], ip: Ip): Pool | undefined {
  return pools.find(({ spaces }) => spaces.all.has(ip));
}
