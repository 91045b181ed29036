import type { Family } from "../../datapath/address.ts";
import type { Hook } from "../hook.ts";
import type { NamespaceSnapshot } from "../snapshot.ts";
import { orderStages, type Stage } from "./hook-stages.ts";
import { compileIptablesTable } from "./iptables/compile-iptables-table.ts";
import { type Ipset, indexIpset, type IpsetIndex, parseIpsets } from "./iptables/ipset.ts";
import { parseIptablesSave, type SavedTable } from "./iptables/save-file.ts";
import { compileNftTable } from "./nft/compile-nft-table.ts";
import { parseNftRuleset } from "./nft/ruleset-json.ts";
import { type BaseChain, type Chain, findUnsupported } from "./model/ruleset.ts";

/** Parts of a snapshot that contain rules. */
export type RulesetSnapshot = Pick<
  NamespaceSnapshot,
  "nftables" | "iptables" | "ip6tables" | "iptablesLegacy" | "ip6tablesLegacy" | "ipsets"
>;

/** The rules of a network namespace: nft tables, iptables of both backends and their sets. */
export interface CompiledRuleset {
  /** Returns the stages of a hook for packets of a family, in the order of their priorities. */
  readonly selectStages: (hook: Hook, family: Family) => readonly Stage[];
  /** Chains of all tables. */
  readonly chains: readonly Chain[];
}

/** A part of a rule that the model does not know. */
export interface UnsupportedPart {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  /** The whole rule. */
  readonly text: string;
  readonly part: string;
}

/**
 * Compiles the rules of a network namespace. Rules themselves are compiled when a packet first reaches their chain.
 *
 * iptables-nft writes its rules in nft tables that `nft` cannot print in full; they are taken from `iptables-save`, and
 * a table that it printed is left out of the nft ruleset.
 *
 * @param snapshot Rules as the tools print them.
 * @throws if a text is not output of its tool
 */
export function compileRuleset(snapshot: RulesetSnapshot): CompiledRuleset {
  const ipsets = snapshot.ipsets === null ? undefined : parseIpsets(snapshot.ipsets);
  const indexSet = createSetIndexer();
  const saved = {
    ipv4: parseIptablesSave(snapshot.iptables ?? ""),
    ipv6: parseIptablesSave(snapshot.ip6tables ?? ""),
  };
  const compileSaved = (family: Family, tables: readonly SavedTable[]) =>
    tables.map((table) => compileIptablesTable(table, { family, ipsets, indexSet }));
  const printed = new Set([
    ...saved.ipv4.map(({ name }) => `ip ${name}`),
    ...saved.ipv6.map(({ name }) => `ip6 ${name}`),
  ]);
  const tables = [
    ...compileSaved("ipv4", parseIptablesSave(snapshot.iptablesLegacy ?? "")),
    ...compileSaved("ipv6", parseIptablesSave(snapshot.ip6tablesLegacy ?? "")),
    ...compileSaved("ipv4", saved.ipv4),
    ...compileSaved("ipv6", saved.ipv6),
    ...parseNftRuleset(snapshot.nftables ?? [])
      .filter(({ family, name }) => !printed.has(`${family} ${name}`))
      .map(compileNftTable),
  ];
  return {
    selectStages: createStageSelector(tables.flatMap(({ baseChains }) => baseChains)),
    chains: tables.flatMap(({ chains }) => chains),
  };
}

/**
 * Lists the parts of rules that the model does not know. A packet that reaches such a rule and matches the rest of it gets
 * the verdict `unknown`.
 */
export function listUnsupportedParts({ chains }: CompiledRuleset): readonly UnsupportedPart[] {
  return chains.flatMap(({ family, table, name, rules }) =>
    rules.flatMap(({ text, statements }) =>
      statements.flatMap((statement) => {
        const part = findUnsupported(statement);
        return part === undefined ? [] : [{ family, table, chain: name, text, part }];
      }),
    ),
  );
}

/** Creates a function that indexes a set at its first use. */
function createSetIndexer(): (set: Ipset) => IpsetIndex {
  const indexes = new Map<string, IpsetIndex>();
  return (set) => {
    const cached = indexes.get(set.name);
    if (cached !== undefined) return cached;
    const index = indexIpset(set);
    indexes.set(set.name, index);
    return index;
  };
}

function createStageSelector(bases: readonly BaseChain[]): CompiledRuleset["selectStages"] {
  const stagesByKey = new Map<string, readonly Stage[]>();
  return (hook, family) => {
    const key = `${hook} ${family}`;
    const stages = stagesByKey.get(key) ?? orderStages(bases, hook, family);
    stagesByKey.set(key, stages);
    return stages;
  };
}
