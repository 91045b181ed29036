import { execFileSync } from "node:child_process";
import { getFamily, removeNestedCidrs } from "../../datapath/address.ts";
import type { Facts } from "../../datapath/facts.ts";
import { NODE_LINK_PREFIX } from "../../datapath/names.ts";
import { IPTABLES, type IptablesProgram, readFilters, type SavedFilters } from "./packet-filters.ts";

/** Comment of the agent's rules; rules without it are never changed. */
const COMMENT = "interlay";
const PAIRS = `${NODE_LINK_PREFIX}+`;
const ACCEPT = ["-m", "comment", "--comment", COMMENT, "-j", "ACCEPT"];
/** Matches replies, and packets that a Service or host port rule has translated. */
const KNOWN = ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED,DNAT"];

/** Networks that the plans of this node's pods route through the node. */
export type ForwardedNetworks = Pick<Facts, "overlayCidrs" | "hijackCidrs" | "viaNode">;

/** A rule to append to, insert into or delete from the chain FORWARD, in the syntax of `iptables-save`. */
interface ForwardChange {
  readonly program: IptablesProgram;
  readonly verb: "-A" | "-I" | "-D";
  /** Position for `-I`, from 1. */
  readonly position?: number;
  readonly rule: readonly string[];
}

/**
 * Lists the rules that accept in FORWARD exactly the traffic that the plans route: from pods to overlay networks and to
 * networks behind the node, to pods from overlay networks, and known connections in both directions. Pure.
 */
export function listForwardRules(
  program: IptablesProgram,
  networks: ForwardedNetworks,
): readonly (readonly string[])[] {
  const family = program.startsWith("ip6") ? "ipv6" : "ipv4";
  const ofFamily = (cidrs: ForwardedNetworks["overlayCidrs"]) =>
    removeNestedCidrs(cidrs).filter((cidr) => getFamily(cidr) === family);
  const { overlayCidrs, hijackCidrs, viaNode } = networks;
  const behindNode = [...overlayCidrs, ...hijackCidrs, ...viaNode.map(({ destination }) => destination)];
  return [
    ["-i", PAIRS, ...KNOWN, ...ACCEPT],
    ...ofFamily(behindNode).map((cidr) => ["-d", cidr, "-i", PAIRS, ...ACCEPT]),
    ["-o", PAIRS, ...KNOWN, ...ACCEPT],
    ...ofFamily(overlayCidrs).map((cidr) => ["-s", cidr, "-o", PAIRS, ...ACCEPT]),
  ];
}

/**
 * Reports whether FORWARD drops traffic that the plans route. Pure.
 * @param saved output of `iptables-save -t filter` of the program
 */
export function findForwardDrop(program: IptablesProgram, saved: string, networks: ForwardedNetworks): boolean {
  const { closes, open } = readChain(saved);
  // An administrator may accept more than the agent does.
  const acceptsAll = open.some((rule) => /^(?:-i vethil\+ )?(?:-m comment --comment \S+ )?-j ACCEPT$/.test(rule));
  if (!closes || acceptsAll) return false;
  return listForwardRules(program, networks).some((rule) => !open.includes(rule.join(" ")));
}

/**
 * Plans the agent's rules in FORWARD where that chain drops unmatched packets: at its end, or before the rule that drops
 * everything. Docker sets the policy DROP, firewalld's iptables backend appends a REJECT. An accept verdict in Interlay's own
 * table would not help, because every chain of a hook must accept. Pure.
 * @param networks undefined to delete the agent's rules
 */
export function planForwardChanges(
  saved: SavedFilters,
  networks: ForwardedNetworks | undefined,
): readonly ForwardChange[] {
  const seen = new Set<string>();
  return Object.entries(saved).flatMap(([name, text]) => {
    const program = name as IptablesProgram;
    // `iptables` and `iptables-legacy` may be the same program. Two different chains that are equal by chance take a pass each.
    const rules = text.replaceAll(/^#.*\n|\[\d+:\d+\]/gm, "");
    if (seen.has(rules)) return [];
    seen.add(rules);
    const { closes, open, rest } = readChain(text);
    const desired = networks !== undefined && closes ? listForwardRules(program, networks) : [];
    const missing = new Map(desired.map((rule) => [rule.join(" "), rule]));
    const surplus: ForwardChange[] = [];
    let kept = open.length;
    for (const [index, rule] of [...open, ...rest].entries()) {
      if (!rule.includes(`-m comment --comment ${COMMENT} -j ACCEPT`)) continue;
      // iptables deletes the first of equal rules: if one is after the closing rule, all are written again.
      if (!rest.includes(rule) && missing.delete(rule)) continue;
      surplus.push({ program, verb: "-D", rule: rule.split(" ") });
      if (index < open.length) kept--;
    }
    const added = [...missing.values()].map((rule, index): ForwardChange =>
      rest.length === 0 ? { program, verb: "-A", rule } : { program, verb: "-I", position: kept + 1 + index, rule },
    );
    return [...surplus, ...added];
  });
}

/** The chain FORWARD of one program. */
interface ForwardChain {
  /** Whether the chain drops what no rule accepts, by its policy or by a rule. */
  readonly closes: boolean;
  /** Rules before the rule that drops everything, without counters. */
  readonly open: readonly string[];
  /** The rule that drops everything, and the rules after it. */
  readonly rest: readonly string[];
}

function readChain(saved: string): ForwardChain {
  const rules = [...saved.matchAll(/^(?:\[\d+:\d+\] )?-A FORWARD (.*)$/gm)].map(([, rule = ""]) => rule.trimEnd());
  const end = rules.findIndex((rule) =>
    /^(?:-m comment --comment \S+ )?-j (?:DROP|REJECT)(?: --reject-with \S+)?$/.test(rule),
  );
  const open = end === -1 ? rules : rules.slice(0, end);
  return { closes: end !== -1 || /^:FORWARD DROP/m.test(saved), open, rest: rules.slice(open.length) };
}

/** Deletes the agent's rules from every program. Returns a line for each change. */
export async function removeForwardRules(): Promise<readonly string[]> {
  const done: string[] = [];
  for (let pass = 0; pass < IPTABLES.length; pass++)
    done.push(...applyForwardChanges(planForwardChanges((await readFilters()).saved, undefined)));
  return done;
}

/**
 * Applies the changes.
 * @returns a line for each change
 * @throws with the message of iptables
 */
export function applyForwardChanges(changes: readonly ForwardChange[]): readonly string[] {
  return changes.map(({ program, verb, position, rule }) => {
    const argv = [verb, "FORWARD", ...(position === undefined ? [] : [String(position)]), ...rule];
    execFileSync(program, ["-w", "5", ...argv], { stdio: ["ignore", "ignore", "pipe"] });
    return `${program} ${argv.join(" ")}`;
  });
}
