import type { Family } from "../../datapath/address.ts";
import type { AddressSnapshot, LinkSnapshot, NamespaceSnapshot, RouteSnapshot, RuleSnapshot } from "../snapshot.ts";
import { parseNetwork } from "./ip-number.ts";
import type { RouteResult } from "./route-query.ts";

/** Routes of one table and family, by prefix length (longest first) and network. */
export type RoutingTable = readonly (readonly [
  length: number,
  routes: ReadonlyMap<bigint, readonly RouteSnapshot[]>,
])[];

/** RT_TABLE_LOCAL, RT_TABLE_MAIN and RT_TABLE_DEFAULT of linux/rtnetlink.h. */
export const TABLE = { local: 255, main: 254, default: 253 } as const;

/** A network namespace with its routes and rules indexed for lookups. */
export interface NamespaceState {
  readonly snapshot: NamespaceSnapshot;
  readonly links: ReadonlyMap<string, LinkSnapshot>;
  readonly addresses: readonly AddressSnapshot[];
  readonly rules: Readonly<Record<Family, readonly RuleSnapshot[]>>;
  readonly tables: Readonly<Record<Family, ReadonlyMap<number, RoutingTable>>>;
  readonly sysctls: ReadonlyMap<string, number>;
  /** Results of route lookups by query. */
  readonly cachedRoutes: Map<string, RouteResult>;
  /** Whether the kernel checks sources by a route lookup: with rules other than its defaults, or a local route that it did not create. */
  readonly checksSourcesByLookup: boolean;
}

/** The kernel's default rules: priority and table. */
const DEFAULT_RULES: Readonly<Record<Family, readonly (readonly [number, number])[]>> = {
  ipv4: [
    [0, TABLE.local],
    [32766, TABLE.main],
    [32767, TABLE.default],
  ],
  ipv6: [
    [0, TABLE.local],
    [32766, TABLE.main],
  ],
};

/** Indexes a namespace for lookups. */
export function compileNamespace(snapshot: NamespaceSnapshot): NamespaceState {
  const rules = { ipv4: sortRules(snapshot, "ipv4"), ipv6: sortRules(snapshot, "ipv6") };
  return {
    snapshot,
    links: new Map(snapshot.links.map((link) => [link.name, link])),
    addresses: snapshot.addresses,
    sysctls: new Map(Object.entries(snapshot.sysctls).map(([path, text]) => [path, Number(text.trim())])),
    cachedRoutes: new Map(),
    rules,
    tables: { ipv4: compileTables(snapshot, "ipv4"), ipv6: compileTables(snapshot, "ipv6") },
    checksSourcesByLookup:
      !areDefaultRules(rules.ipv4) ||
      snapshot.routes.some((route) => route.family === "ipv4" && route.type === "local" && route.protocol !== "kernel"),
  };
}

function sortRules(snapshot: NamespaceSnapshot, family: Family): readonly RuleSnapshot[] {
  return snapshot.rules.filter((rule) => rule.family === family).sort((a, b) => a.priority - b.priority);
}

function areDefaultRules(rules: readonly RuleSnapshot[]): boolean {
  const expected = DEFAULT_RULES.ipv4;
  return (
    rules.length === expected.length &&
    rules.every((rule, index) => rule.priority === expected[index]?.[0] && rule.table === expected[index][1])
  );
}

function compileTables(snapshot: NamespaceSnapshot, family: Family): ReadonlyMap<number, RoutingTable> {
  const tables = new Map<number, Map<number, Map<bigint, RouteSnapshot[]>>>();
  for (const route of snapshot.routes) {
    if (route.family !== family) continue;
    const { base, length } = parseNetwork(route.destination);
    const lengths = getOrCreate(tables, route.table, () => new Map<number, Map<bigint, RouteSnapshot[]>>());
    const routes = getOrCreate(lengths, length, () => new Map<bigint, RouteSnapshot[]>());
    getOrCreate(routes, base, () => []).push(route);
  }
  return new Map(
    [...tables].map(([table, lengths]) => [
      table,
      [...lengths]
        .sort(([a], [b]) => b - a)
        .map(([length, routes]) => {
          for (const sameDestination of routes.values())
            sameDestination.sort((a, b) => b.tos - a.tos || a.metric - b.metric);
          return [length, routes] as const;
        }),
    ]),
  );
}

function getOrCreate<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const existing = map.get(key);
  if (existing !== undefined) return existing;
  const created = make();
  map.set(key, created);
  return created;
}

/**
 * Reads a sysctl as a number.
 *
 * @param path path below /proc/sys, such as `net/ipv4/ip_forward`
 * @param fallback value of a sysctl that the snapshot does not have
 */
export function readSysctl({ sysctls }: NamespaceState, path: string, fallback = 0): number {
  return sysctls.get(path) ?? fallback;
}

/** Reads a sysctl of `net/FAMILY/conf`: the greater of the values of the link and of `all` (IN_DEV_ORCONF, IN_DEV_MAXCONF). */
export function readLinkSysctl(state: NamespaceState, family: Family, link: string, name: string): number {
  return Math.max(
    readSysctl(state, `net/${family}/conf/all/${name}`),
    readSysctl(state, `net/${family}/conf/${link}/${name}`),
  );
}

/** Reports whether an address belongs to the namespace, on any link. */
export function hasAddress({ addresses }: NamespaceState, address: string): boolean {
  return addresses.some((entry) => entry.address === address);
}
