import type { BaseChain, Chain } from "./ruleset.ts";

/** Chains of a table, and those of them that are called at a hook. */
export interface RulesetTable {
  readonly chains: readonly Chain[];
  readonly baseChains: readonly BaseChain[];
}
