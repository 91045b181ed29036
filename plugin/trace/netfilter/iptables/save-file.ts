/** A table as `iptables-save` prints it. */
export interface SavedTable {
  readonly name: string;
  readonly chains: ReadonlyMap<string, SavedChain>;
}

/** A chain of a saved table. */
export interface SavedChain {
  readonly name: string;
  /** Policy of a built-in chain; user-defined chains have none. */
  readonly policy?: "accept" | "drop";
  /** The rules as written, without counters and `-A CHAIN`. */
  readonly rules: readonly string[];
}

const CHAIN = /^:(\S+) (\S+)/;
const RULE = /^(?:\[\d+:\d+\] )?-A (\S+) ?(.*)$/;

/**
 * Splits the output of `iptables-save`, with or without counters, into tables and chains. Rules stay text: on a node with
 * thousands of Services few of them are ever evaluated.
 *
 * @param text Output of `iptables-save`, `ip6tables-save` or their legacy and nft variants; may be empty.
 * @throws if a line is not output of `iptables-save`
 */
export function parseIptablesSave(text: string): readonly SavedTable[] {
  const tables: { name: string; chains: Map<string, SavedChain & { rules: string[] }> }[] = [];
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#") || line === "COMMIT") continue;
    if (line.startsWith("*")) {
      tables.push({ name: line.slice(1), chains: new Map() });
      continue;
    }
    const table = tables.at(-1);
    const chain = CHAIN.exec(line);
    if (chain !== null && table !== undefined) {
      const [, name = "", policy] = chain;
      table.chains.set(name, { name, ...parsePolicy(policy), rules: [] });
      continue;
    }
    const rule = RULE.exec(line);
    const target = rule?.[1] === undefined ? undefined : table?.chains.get(rule[1]);
    if (target === undefined) throw new Error(`invalid line of iptables-save "${line}": neither table, chain nor rule`);
    target.rules.push(rule?.[2] ?? "");
  }
  return tables;
}

function parsePolicy(text: string | undefined): { policy?: "accept" | "drop" } {
  if (text === "ACCEPT") return { policy: "accept" };
  return text === "DROP" ? { policy: "drop" } : {};
}
