import { type Family, familyOf, type Ip, parseIp } from "../datapath/address.ts";
import {
  type AddressRange,
  AddressSpace,
  spacesOverlap,
  parseRange,
  type PoolSpaces,
  type NodeShard,
  mergeRanges,
} from "./pool.ts";

/** A pool that gives addresses, with what it is for. */
export interface Pool {
  readonly name: string;
  readonly created: string;
  readonly spaces: PoolSpaces;
  readonly routes: readonly { readonly dst: string; readonly gw?: string | undefined }[];
  /** Smaller first. */
  readonly priority: number;
  /** Addresses that each node for which the pool is takes beforehand. */
  readonly reservePerNode: number;
  readonly nodeLabels?: Labels;
  readonly namespaceLabels?: Labels;
  readonly podLabels?: Labels;
}

type Labels = Readonly<Record<string, string>>;

export interface Asker {
  readonly nodeLabels: Labels;
  readonly namespaceLabels: Labels;
  readonly podLabels: Labels;
  /** Named in the network's configuration, best first; empty: every pool. */
  readonly pools: readonly string[];
}

/** Overlapping pools would give one address under two names: the later one gives none. Its name -> the earlier one's. */
export function overlapping(pools: readonly Pool[]): ReadonlyMap<string, string> {
  const inOrder = [...pools].sort((a, b) => a.created.localeCompare(b.created) || a.name.localeCompare(b.name));
  const found = new Map<string, string>();
  for (const [i, later] of inOrder.entries()) {
    const earlier = inOrder
      .slice(0, i)
      .find((p) => !found.has(p.name) && spacesOverlap(p.spaces.all, later.spaces.all));
    if (earlier !== undefined) found.set(later.name, earlier.name);
  }
  return found;
}

/**
 * The pools that this pod may have addresses of, best first. A pool's selectors always hold; the list of a network narrows
 * the choice and orders it.
 */
export function eligible(pools: readonly Pool[], asker: Asker): readonly Pool[] {
  const bad = overlapping(pools);
  return pools
    .filter(({ name }) => !bad.has(name))
    .filter(({ name }) => asker.pools.length === 0 || asker.pools.includes(name))
    .filter((pool) => selects(pool, asker))
    .sort(
      (a, b) =>
        asker.pools.indexOf(a.name) - asker.pools.indexOf(b.name) ||
        // A pool that was made for these pods goes before one for everybody.
        selectivity(b) - selectivity(a) ||
        a.priority - b.priority ||
        a.name.localeCompare(b.name),
    );
}

function selects(pool: Pool, { nodeLabels, namespaceLabels, podLabels }: Asker): boolean {
  return (
    fits(pool.nodeLabels, nodeLabels) && fits(pool.namespaceLabels, namespaceLabels) && fits(pool.podLabels, podLabels)
  );
}

export function fits(wanted: Labels = {}, has: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => has[key] === value);
}

function selectivity(pool: Pool): number {
  return [pool.nodeLabels, pool.namespaceLabels, pool.podLabels].filter((labels) => labels !== undefined).length;
}

/** The families that these pools have, IPv4 first. */
export function families(pools: readonly Pool[]): readonly Family[] {
  return (["ipv4", "ipv6"] as const).filter((family) => pools.some(({ spaces }) => spaces.free.family === family));
}

export const IP_ANNOTATION = "interlay.dev/ip";
/** NICs that the annotation without an interface's name is for: a pod's first underlay NIC. */
const FIRST_UNDERLAY = ["eth0", "net1"];

/** What the pod asks for on this NIC: `interlay.dev/ip.net2` before `interlay.dev/ip`. Undefined: nothing. Throws on nonsense. */
export function askedFor(annotations: Labels, ifname: string): ReadonlyMap<Family, AddressSpace> | undefined {
  const text =
    annotations[`${IP_ANNOTATION}.${ifname}`] ??
    (FIRST_UNDERLAY.includes(ifname) ? annotations[IP_ANNOTATION] : undefined);
  const parts = (text ?? "").split(/[\s,]+/).filter((part) => part !== "");
  if (parts.length === 0) return undefined;
  const byFamily = new Map<Family, AddressRange[]>();
  for (const part of parts) {
    const family: Family = part.includes(":") ? "ipv6" : "ipv4";
    byFamily.set(family, [...(byFamily.get(family) ?? []), parseRange(part)]);
  }
  return new Map([...byFamily].map(([family, ranges]) => [family, new AddressSpace(family, mergeRanges(ranges))]));
}

/** The pool that has this address among those it may give when asked. */
export function poolOf(pools: readonly Pool[], ip: Ip): Pool | undefined {
  return pools.find(({ spaces }) => spaces.all.has(ip));
}

/** By the nodes that have addresses of a pool: those that will want more of it. Each counts them the same way. */
export function shareOf(node: string, holders: Iterable<string>): NodeShard {
  const nodes = [...new Set([node, ...holders])].sort();
  return { index: nodes.indexOf(node), count: nodes.length };
}

/** Names are DNS labels: IPv4 as it is, IPv6 written out, so that one address has one name. */
export function objectName(ip: Ip): string {
  if (familyOf(ip) === "ipv4") return ip;
  const groups = expand(parseIp(ip));
  return `v6-${groups.join("-")}`;
}

function expand(ip: Ip): readonly string[] {
  const [head = "", tail] = ip.split("::");
  const of = (text: string): readonly string[] => (text === "" ? [] : text.split(":"));
  if (tail === undefined) return of(head);
  const missing = 8 - of(head).length - of(tail).length;
  return [...of(head), ...Array.from({ length: missing }, () => "0"), ...of(tail)];
}
