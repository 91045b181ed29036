import { z } from "zod";
import type { Hook } from "../../hook.ts";
import type { TableFamily } from "../model/ruleset.ts";

/** An expression or statement as `nft -j` prints it; `json.ts` has functions to read it. */
export type NftJson = unknown;

const FAMILIES = ["ip", "ip6", "inet", "netdev", "bridge", "arp"] as const;

const chainObject = z.object({
  family: z.enum(FAMILIES),
  table: z.string(),
  name: z.string(),
  type: z.enum(["filter", "nat", "route"]).optional(),
  hook: z.string().optional(),
  prio: z.number().optional(),
  policy: z.enum(["accept", "drop"]).optional(),
  dev: z.union([z.string(), z.array(z.string())]).optional(),
});

const ruleObject = z.object({
  family: z.enum(FAMILIES),
  table: z.string(),
  chain: z.string(),
  comment: z.string().optional(),
  expr: z.array(z.unknown()),
});

const setObject = z.object({
  family: z.enum(FAMILIES),
  table: z.string(),
  name: z.string(),
  elem: z.array(z.unknown()).default([]),
});

const elementObject = setObject.extend({ elem: z.array(z.unknown()) });

/** A table of `nft -j list ruleset`. */
export interface PrintedNftTable {
  readonly family: TableFamily;
  readonly name: string;
  readonly chains: ReadonlyMap<string, NftChain>;
  /** Elements of named sets and maps, by name. */
  readonly sets: ReadonlyMap<string, readonly NftJson[]>;
}

/** A chain with the expressions of its rules. */
export interface NftChain {
  readonly name: string;
  readonly base?: {
    readonly type: "filter" | "nat" | "route";
    readonly hook: Hook;
    readonly priority: number;
    readonly policy: "accept" | "drop";
    /** Undefined if nft did not print it (before 1.0.7). */
    readonly links?: readonly string[];
  };
  readonly rules: readonly { readonly expressions: readonly NftJson[]; readonly comment?: string }[];
}

interface MutableTable {
  readonly family: TableFamily;
  readonly name: string;
  readonly chains: Map<string, NftChain & { rules: NftChain["rules"][number][] }>;
  readonly sets: Map<string, NftJson[]>;
}

/**
 * Groups the objects of `nft -j list ruleset` by table.
 *
 * @param objects The array `nftables`.
 * @throws if an object does not match libnftables-json(5)
 */
export function parseNftRuleset(objects: readonly Readonly<Record<string, unknown>>[]): readonly PrintedNftTable[] {
  const tables = new Map<string, MutableTable>();
  const findTable = (family: TableFamily, name: string): MutableTable => {
    const key = `${family} ${name}`;
    const table: MutableTable = tables.get(key) ?? { family, name, chains: new Map(), sets: new Map() };
    tables.set(key, table);
    return table;
  };
  for (const object of objects) {
    const [kind, value] = Object.entries(object)[0] ?? [];
    switch (kind) {
      case "chain": {
        const chain = chainObject.parse(value);
        findTable(chain.family, chain.table).chains.set(chain.name, createNftChain(chain));
        break;
      }
      case "rule": {
        const rule = ruleObject.parse(value);
        const chain = findTable(rule.family, rule.table).chains.get(rule.chain);
        if (chain === undefined)
          throw new Error(
            `invalid nft ruleset: a rule of ${rule.family} ${rule.table} is in the unknown chain ${rule.chain}`,
          );
        const { comment, expr } = rule;
        chain.rules.push({ expressions: expr, ...(comment === undefined ? {} : { comment }) });
        break;
      }
      case "set":
      case "map": {
        const set = setObject.parse(value);
        findTable(set.family, set.table).sets.set(set.name, set.elem);
        break;
      }
      case "element": {
        const element = elementObject.parse(value);
        findTable(element.family, element.table)
          .sets.get(element.name)
          ?.push(...element.elem);
        break;
      }
      default:
      // metainfo, tables, flowtables and named counters do not affect packets
    }
  }
  return [...tables.values()];
}

/** Converts a hook of nft; hooks of family bridge get the prefix `bridge-`. */
function toHook(family: TableFamily, hook: string): Hook {
  return (family === "bridge" ? `bridge-${hook}` : hook) as Hook;
}

function createNftChain(chain: z.infer<typeof chainObject>): NftChain & { rules: NftChain["rules"][number][] } {
  const { name, type, hook, prio, policy = "accept", dev } = chain;
  if (type === undefined || hook === undefined || prio === undefined) return { name, rules: [] };
  const links = typeof dev === "string" ? [dev] : dev;
  const base = { type, hook: toHook(chain.family, hook), priority: prio, policy };
  return { name, base: { ...base, ...(links === undefined ? {} : { links }) }, rules: [] };
}
