import type { Family } from "../../../datapath/address.ts";
import type { Hook } from "../../hook.ts";
import type { RulesetTable } from "../model/compiled-table.ts";
import { type BaseChain, type Chain, createChain } from "../model/ruleset.ts";
import { compileIptablesRule } from "./compile-rule.ts";
import type { RuleScope } from "./match-compiler.ts";
import type { SavedChain, SavedTable } from "./save-file.ts";

/** Priorities of the tables (linux/netfilter_ipv4.h); both backends use them. */
const PRIORITIES: Readonly<Record<string, number>> = { raw: -300, mangle: -150, filter: 0, security: 50 };

const HOOKS: Readonly<Record<string, Hook>> = {
  PREROUTING: "prerouting",
  INPUT: "input",
  FORWARD: "forward",
  OUTPUT: "output",
  POSTROUTING: "postrouting",
};

/**
 * Compiles a table of iptables or ip6tables, of either backend.
 *
 * @throws if iptables has no table of this name
 */
export function compileIptablesTable(table: SavedTable, scope: RuleScope): RulesetTable {
  const chains = new Map<string, Chain>();
  const findChain = (name: string) => chains.get(name);
  for (const saved of table.chains.values()) chains.set(saved.name, compileChain(table, saved, scope, findChain));
  const baseChains = [...table.chains.values()].flatMap((saved) => {
    const chain = chains.get(saved.name);
    const hook = saved.policy === undefined ? undefined : HOOKS[saved.name];
    if (chain === undefined || hook === undefined || (saved.rules.length === 0 && saved.policy === "accept")) return [];
    return [{ chain, hook, policy: saved.policy ?? "accept", ...findTypeAndPriority(table.name, hook) }];
  });
  return { chains: [...chains.values()], baseChains };
}

function compileChain(
  table: SavedTable,
  { name, rules }: SavedChain,
  scope: RuleScope,
  findChain: (name: string) => Chain | undefined,
): Chain {
  return createChain({ family: toTableFamily(scope.family), table: table.name, name }, () =>
    rules.map((text) => compileIptablesRule(text, name, scope, findChain)),
  );
}

function toTableFamily(family: Family): "ip" | "ip6" {
  return family === "ipv4" ? "ip" : "ip6";
}

function findTypeAndPriority(table: string, hook: Hook): Pick<BaseChain, "type" | "priority"> {
  if (table === "nat") return { type: "nat", priority: hook === "prerouting" || hook === "output" ? -100 : 100 };
  const priority = PRIORITIES[table];
  if (priority === undefined) throw new Error(`invalid table of iptables-save "${table}": priority is not known`);
  return { type: table === "mangle" && hook === "output" ? "route" : "filter", priority };
}
