import { z } from "zod";

const TABLE = ["inet", "interlay"] as const;

/** Output of `nft --json list table`: the fields that name a rule, and the rest to determine its family. */
const listing = z.object({
  nftables: z.array(
    z.object({
      rule: z
        .object({
          chain: z.string(),
          handle: z.number(),
          comment: z.string().optional(),
          expr: z.array(z.unknown()),
        })
        .optional(),
      set: z.object({ name: z.string(), elem: z.array(z.unknown()).default([]) }).optional(),
    }),
  ),
});

/** A rule of Interlay's tables. */
interface ListedRule {
  readonly chain: string;
  readonly handle: number;
  /** Stable over clusters: the rule's comment, or the family it is for. */
  readonly name: string;
}

/** Command that lists Interlay's table as JSON. */
export const listRules: readonly string[] = ["nft", "--json", "list", "table", ...TABLE];

/** Parses the output of the command `listRules`. */
export function parseNftRules(json: string): readonly ListedRule[] {
  return listing.parse(JSON.parse(json)).nftables.flatMap(({ rule }) => {
    if (rule === undefined) return [];
    const { chain, handle, comment, expr } = rule;
    const family = JSON.stringify(expr).includes('"protocol":"ip6"') ? "ipv6" : "ipv4";
    return [{ chain, handle, name: comment ?? family }];
  });
}

/** Returns the names of the sets that have elements. */
export function parseSets(json: string): readonly string[] {
  return listing
    .parse(JSON.parse(json))
    .nftables.flatMap(({ set }) => (set === undefined || set.elem.length === 0 ? [] : [set.name]));
}

export const buildDeleteRuleCommand = ({ chain, handle }: ListedRule): readonly string[] => [
  "nft",
  "delete",
  "rule",
  ...TABLE,
  chain,
  "handle",
  String(handle),
];

export const buildFlushSetCommand = (name: string): readonly string[] => ["nft", "flush", "set", ...TABLE, name];
