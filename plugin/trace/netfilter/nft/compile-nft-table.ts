import type { RulesetTable } from "../model/compiled-table.ts";
import {
  type BaseChain,
  type Chain,
  createChain,
  createRule,
  createUndecidable,
  type CompiledRule,
} from "../model/ruleset.ts";
import { formatNftRule } from "./format-rule.ts";
import type { NftChain, PrintedNftTable } from "./ruleset-json.ts";
import { createSetCatalog } from "./set-catalog.ts";
import { compileStatement, dropIdleStatements, type NftScope } from "./statement.ts";

/** Compiles a table of `nft -j list ruleset`. */
export function compileNftTable(table: PrintedNftTable): RulesetTable {
  const { family, name } = table;
  const chains = new Map<string, Chain>();
  const scope: NftScope = {
    sets: createSetCatalog(`${family} ${name}`, table.sets),
    findChain: (chain) => chains.get(chain),
  };
  for (const source of table.chains.values())
    chains.set(
      source.name,
      createChain({ family, table: name, name: source.name }, () => compileRules(table, source, scope)),
    );
  const baseChains = [...table.chains.values()].flatMap((source): BaseChain[] => {
    const chain = chains.get(source.name);
    if (source.base === undefined || chain === undefined) return [];
    return [{ chain, ...source.base }];
  });
  return { chains: [...chains.values()], baseChains };
}

function compileRules(table: PrintedNftTable, { base, rules }: NftChain, scope: NftScope): readonly CompiledRule[] {
  const compiled = rules.map(({ expressions, comment }) =>
    createRule(
      formatNftRule(expressions, comment),
      dropIdleStatements(expressions).map((json) => compileStatement(json, scope)),
    ),
  );
  const seesSomeLinks = base !== undefined && (base.hook === "ingress" || base.hook === "egress");
  if (!seesSomeLinks || base.links !== undefined) return compiled;
  // Whether the chain sees the packet's link is not known: both ways are followed.
  const text = `device of chain ${table.name}`;
  return [createRule(text, [createUndecidable(text), () => ({ kind: "accept" })]), ...compiled];
}
