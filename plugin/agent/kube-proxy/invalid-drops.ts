import { type Filters, IPTABLES } from "./packet-filters.ts";
import { NODE_LINK_PREFIX } from "../../datapath/names.ts";

/** A rule of a packet filter, reduced to its effect on an INVALID packet from a pod's pair. */
interface FilterRule {
  readonly text: string;
  /** False if the rule is for other links, or for other states of a connection. */
  readonly applies: boolean;
  /** Whether the rule itself matches INVALID packets. */
  readonly invalid: boolean;
  readonly drops: boolean;
  readonly jumps: readonly string[];
}

interface FilterTable {
  readonly name: string;
  readonly chains: ReadonlyMap<string, readonly FilterRule[]>;
  /** Chains that the kernel enters for forwarded packets. */
  readonly entries: readonly string[];
}

/** Links by which packets to other nodes leave; a rule for another outgoing link does not apply. */
type OutLinks = readonly string[];

const HOOKS_OF_IPTABLES: Readonly<Record<string, readonly string[]>> = {
  filter: ["FORWARD"],
  mangle: ["PREROUTING", "FORWARD", "POSTROUTING"],
};

/**
 * Finds the rules that drop packets in conntrack state INVALID from an underlay pod to another node, in FORWARD, in mangle's
 * PREROUTING and POSTROUTING, and in the chains to which these jump. Pure.
 * @param saved output of `iptables-save` for the tables filter and mangle
 * @returns a line for each rule
 */
export function findIptablesDrops(program: string, saved: string, outLinks: OutLinks): readonly string[] {
  return parseIptables(program, saved, outLinks).flatMap(findDrops);
}

/** Finds the same rules as `findIptablesDrops` in the output of `nft list table`. */
export function findNftDrops(listing: string, outLinks: OutLinks): readonly string[] {
  return parseNft(listing, outLinks).flatMap(findDrops);
}

/** Finds the rules that drop INVALID packets in all packet filters, except kube-proxy's own rule. Pure. */
export function findOtherDrops(
  { saved, mangle, otherTables }: Pick<Filters, "saved" | "mangle" | "otherTables">,
  outLinks: OutLinks,
): readonly string[] {
  const iptables = IPTABLES.flatMap((program) =>
    findIptablesDrops(program, `${saved[program]}\n${mangle[program]}`, outLinks),
  );
  return [...iptables, ...findNftDrops(otherTables, outLinks)].filter((line) => !line.includes("chain KUBE-FORWARD:"));
}

function findDrops({ name, chains, entries }: FilterTable): readonly string[] {
  const dropLines = new Set<string>();
  const visited = new Set<string>();
  const walk = (chain: string, invalid: boolean): void => {
    const key = `${chain} ${invalid}`;
    if (visited.has(key)) return;
    visited.add(key);
    for (const rule of chains.get(chain) ?? []) {
      if (!rule.applies) continue;
      const isInvalid = invalid || rule.invalid;
      if (rule.drops && isInvalid) dropLines.add(`${name}, chain ${chain}: ${rule.text}`);
      for (const target of rule.jumps) walk(target, isInvalid);
    }
  };
  for (const entry of entries) walk(entry, false);
  return [...dropLines];
}

function parseIptables(program: string, saved: string, outLinks: OutLinks): readonly FilterTable[] {
  return saved
    .split(/^\*/m)
    .slice(1)
    .map((table) => {
      const name = /^\S+/.exec(table)?.[0] ?? "";
      const chains = new Map<string, FilterRule[]>();
      for (const [, chain = "", rule = ""] of table.matchAll(/^(?:\[\d+:\d+\] )?-A (\S+) (.*)$/gm))
        chains.set(chain, [...(chains.get(chain) ?? []), parseIptablesRule(chain, rule, outLinks)]);
      return { name: `${program} table ${name}`, chains, entries: HOOKS_OF_IPTABLES[name] ?? [] };
    });
}

function parseIptablesRule(chain: string, rule: string, outLinks: OutLinks): FilterRule {
  const target = /(?:^| )-[jg] (\S+)/.exec(rule)?.[1] ?? "";
  const drops = target === "DROP" || target === "REJECT";
  const states = /(! )?--(?:ct)?state (\S+)/.exec(rule);
  const hasInvalid = (states?.[2] ?? "").split(",").includes("INVALID");
  const excluded = states !== null && hasInvalid === (states[1] !== undefined);
  const parseLink = (flag: string): LinkMatch | undefined => {
    const match = new RegExp(`(?:^| )(! )?-${flag} (\\S+)`).exec(rule);
    return match === null ? undefined : { negated: match[1] !== undefined, name: (match[2] ?? "").replace(/\+$/, "*") };
  };
  return {
    text: `-A ${chain} ${rule}`,
    applies: !excluded && fitsLinks(parseLink("i"), parseLink("o"), outLinks),
    invalid: states !== null && hasInvalid && states[1] === undefined,
    drops,
    jumps: drops || target === "" ? [] : [target],
  };
}

function parseNft(listing: string, outLinks: OutLinks): readonly FilterTable[] {
  return [...listing.matchAll(/^table (\S+ \S+) \{$([\s\S]*?)^\}$/gm)].map(([, name = "", body = ""]) => {
    const chains = new Map<string, readonly FilterRule[]>();
    const entries: string[] = [];
    for (const [, chain = "", text = ""] of body.matchAll(/^\s+chain (\S+) \{$([\s\S]*?)^\s+\}$/gm)) {
      const lines = text
        .split("\n")
        .map((line) => line.trim())
        .filter((line) => line !== "");
      if (lines.some((line) => /^type filter hook (?:forward|prerouting|postrouting) /.test(line))) entries.push(chain);
      chains.set(
        chain,
        lines.filter((line) => !line.startsWith("type ")).map((line) => parseNftRule(line, outLinks)),
      );
    }
    return { name: `nftables table ${name}`, chains, entries };
  });
}

function parseNftRule(line: string, outLinks: OutLinks): FilterRule {
  const text = line.replaceAll(/counter packets \d+ bytes \d+/g, "counter");
  const map = /ct state vmap \{([^}]*)\}/.exec(text)?.[1];
  const verdict = map === undefined ? undefined : (/invalid : (\w+(?: \S+)?)/.exec(map)?.[1] ?? "");
  const states = /ct state (!= )?(\{[^}]*\}|[\w,]+)/.exec(map === undefined ? text : "");
  const hasInvalid = /\binvalid\b/.test(states?.[2] ?? "");
  const excluded = (states !== null && hasInvalid === (states[1] !== undefined)) || verdict === "";
  const parseLink = (name: "iifname" | "oifname"): LinkMatch | undefined => {
    const match = new RegExp(`\\b${name} (!= )?"([^"]+)"`).exec(text);
    return match === null ? undefined : { negated: match[1] !== undefined, name: match[2] ?? "" };
  };
  const action = verdict ?? text;
  return {
    text,
    applies: !excluded && fitsLinks(parseLink("iifname"), parseLink("oifname"), outLinks),
    invalid: verdict !== undefined || (states !== null && hasInvalid && states[1] === undefined),
    drops: /\b(?:drop|reject)\b/.test(action),
    jumps: [...action.matchAll(/\b(?:jump|goto) ([^\s,}]+)/g)].map(([, chain = ""]) => chain),
  };
}

interface LinkMatch {
  readonly negated: boolean;
  /** Name, or prefix with `*` at its end. */
  readonly name: string;
}

function fitsLinks(input: LinkMatch | undefined, output: LinkMatch | undefined, outLinks: OutLinks): boolean {
  const fitsIn = input === undefined || matchesName(input.name, `${NODE_LINK_PREFIX}0`) !== input.negated;
  const fitsOut = output === undefined || outLinks.some((link) => matchesName(output.name, link) !== output.negated);
  return fitsIn && fitsOut;
}

function matchesName(pattern: string, link: string): boolean {
  return pattern.endsWith("*") ? link.startsWith(pattern.slice(0, -1)) : link === pattern;
}
