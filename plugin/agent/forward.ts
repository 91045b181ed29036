import { execFileSync } from "node:child_process";
import { familyOf, outermost } from "../datapath/address.ts";
import type { Facts } from "../datapath/facts.ts";
import { NODE_LINK_PREFIX } from "../datapath/names.ts";
import { IPTABLES, type IptablesProgram, readFilters, type SavedFilters } from "./filters.ts";

/** Marks the agent's rules; rules without it are never touched. */
const COMMENT = "interlay";
const PAIRS = `${NODE_LINK_PREFIX}+`;
const ACCEPT = ["-m", "comment", "--comment", COMMENT, "-j", "ACCEPT"];
/** Replies, and what a Service or a host port has translated. */
const KNOWN = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED,DNAT"];

/** What the plans of this node's pods route through the node. */
export type ForwardedNetworks = Pick<Facts, "overlayCidrs" | "hijackCidrs" | "viaNode">;

/** A rule to append to a program's chain FORWARD, or to delete from it; in the form of `iptables-save`. */
export interface ForwardChange {
  readonly program: IptablesProgram;
  readonly verb: "-A" | "-D";
  readonly rule: readonly string[];
}

/**
 * Lists the rules that let through FORWARD what the plans route and nothing else: from pods to overlay networks and to
 * networks behind the node, to pods from overlay networks, and known connections in both directions. Pure.
 */
export function listForwardRules(
  program: IptablesProgram,
  networks: ForwardedNetworks,
): readonly (readonly string[])[] {
  const family = program.startsWith("ip6") ? "ipv6" : "ipv4";
  const ofFamily = (cidrs: ForwardedNetworks["overlayCidrs"]) =>
    outermost(cidrs).filter((cidr) => familyOf(cidr) === family);
  const { overlayCidrs, hijackCidrs, viaNode } = networks;
  const behindNode = [...overlayCidrs, ...hijackCidrs, ...viaNode.map(({ destination }) => destination)];
  return [
    ["-i", PAIRS, ...KNOWN, ...ACCEPT],
    ...ofFamily(behindNode).map((cidr) => ["-d", cidr, "-i", PAIRS, ...ACCEPT]),
    ["-o", PAIRS, ...KNOWN, ...ACCEPT],
    ...ofFamily(overlayCidrs).map((cidr) => ["-s", cidr, "-o", PAIRS, ...ACCEPT]),
  ];
}

/** Reports whether FORWARD drops what the plans route: by what `iptables-save -t filter` says of one program. Pure. */
export function findForwardDrop(program: IptablesProgram, saved: string, networks: ForwardedNetworks): boolean {
  if (!/^:FORWARD DROP/m.test(saved)) return false;
  const rules = new Set(listRules(saved));
  // An administrator may accept more than the agent does.
  if ([...rules].some((rule) => /^(?:-i vethil\+ )?(?:-m comment --comment \S+ )?-j ACCEPT$/.test(rule))) return false;
  return listForwardRules(program, networks).some((rule) => !rules.has(rule.join(" ")));
}

/**
 * Docker gives FORWARD the policy DROP, and an accept verdict in Interlay's own table would not help: every chain of a hook
 * must accept. So where the policy is DROP, and only there, the chain gets the agent's rules at its end. Pure.
 * @param networks undefined: the agent's rules are to be deleted
 */
export function planForwardChanges(
  saved: SavedFilters,
  networks: ForwardedNetworks | undefined,
): readonly ForwardChange[] {
  const seen = new Set<string>();
  return Object.entries(saved).flatMap(([name, text]) => {
    const program = name as IptablesProgram;
    // Where `iptables` is the legacy one, both names are one program. Two that are alike by chance take a pass each.
    const rules = text.replaceAll(/^#.*\n|\[\d+:\d+\]/gm, "");
    if (seen.has(rules)) return [];
    seen.add(rules);
    const drops = networks !== undefined && /^:FORWARD DROP/m.test(text);
    const wanted = drops ? listForwardRules(program, networks) : [];
    const missing = new Map(wanted.map((rule) => [rule.join(" "), rule]));
    const surplus: ForwardChange[] = [];
    for (const rule of listRules(text)) {
      if (!rule.includes(`-m comment --comment ${COMMENT} -j ACCEPT`)) continue;
      if (!missing.delete(rule)) surplus.push({ program, verb: "-D", rule: rule.split(" ") });
    }
    return [...surplus, ...[...missing.values()].map((rule): ForwardChange => ({ program, verb: "-A", rule }))];
  });
}

/** Specifications of the chain FORWARD, without counters. */
function listRules(saved: string): readonly string[] {
  return [...saved.matchAll(/^(?:\[\d+:\d+\] )?-A FORWARD (.*)$/gm)].map(([, rule = ""]) => rule.trimEnd());
}

/** Deletes the agent's rules from every program. Returns a line for each change. */
export async function removeForwardRules(): Promise<readonly string[]> {
  const done: string[] = [];
  for (let pass = 0; pass < IPTABLES.length; pass++)
    done.push(...applyForwardChanges(planForwardChanges((await readFilters()).saved, undefined)));
  return done;
}

/**
 * @returns a line for each change
 * @throws with the message of iptables
 */
export function applyForwardChanges(changes: readonly ForwardChange[]): readonly string[] {
  return changes.map(({ program, verb, rule }) => {
    execFileSync(program, ["-w", "5", verb, "FORWARD", ...rule], { stdio: ["ignore", "ignore", "pipe"] });
    return `${program} ${verb} FORWARD ${rule.join(" ")}`;
  });
}
