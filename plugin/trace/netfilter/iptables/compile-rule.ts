import { type AddressNumber, parseAddressRange } from "../model/address-number.ts";
import {
  BREAK,
  type Chain,
  CONTINUE_ALWAYS,
  createRule,
  createUndecidable,
  createUnsupported,
  isUndecided,
  type CompiledRule,
  type RuleStatement,
} from "../model/ruleset.ts";
import { LOOKUP_MATCHES } from "./lookup-matches.ts";
import { formatExtension, formatOption, type MatchCompiler, type RuleScope } from "./match-compiler.ts";
import { compileBaseOption, PACKET_MATCHES } from "./packet-matches.ts";
import { parseRuleArguments, type RuleArguments } from "./rule-arguments.ts";
import { STATE_MATCHES } from "./state-matches.ts";
import { compileTarget } from "./targets.ts";

const matchNothing: MatchCompiler = () => [() => BREAK];

const MATCHES: Readonly<Record<string, MatchCompiler>> = {
  ...PACKET_MATCHES,
  ...STATE_MATCHES,
  ...LOOKUP_MATCHES,
  // Only counts: rules of kube-proxy have no quota.
  nfacct: () => [],
  // Protocols that a trace does not send.
  sctp: matchNothing,
  dccp: matchNothing,
  esp: matchNothing,
  ah: matchNothing,
};

/** Matches of rates, times, processes and payload, which neither the packet nor the snapshot can decide. */
const UNDECIDABLE = new Set([
  "bpf",
  "cgroup",
  "connbytes",
  "connlimit",
  "cpu",
  "hashlimit",
  "helper",
  "limit",
  "owner",
  "policy",
  "quota",
  "recent",
  "socket",
  "string",
  "tcpmss",
  "time",
]);

/**
 * Compiles a rule of iptables. Undecidable matches come last, so that they do not matter if another match fails.
 *
 * @param text The rule without counters and `-A CHAIN`.
 * @param scope Sets that the rule may refer to.
 * @param findChain Returns a chain of the rule's table.
 */
export function compileIptablesRule(
  text: string,
  chainName: string,
  scope: RuleScope,
  findChain: (name: string) => Chain | undefined,
): CompiledRule {
  const parsed = parseRuleArguments(text);
  const action = compileAction(parsed.target, findChain);
  const ruleText = `-A ${chainName} ${text}`;
  // It does not matter whether a packet is logged or counted.
  if (action === CONTINUE_ALWAYS) return createRule(ruleText, []);
  const matches = compileMatches(parsed, scope);
  const statements = [
    ...matches.filter((statement) => !isUndecided(statement)),
    ...matches.filter(isUndecided),
    action,
  ];
  return createRule(ruleText, statements, findDestination(parsed));
}

/** Finds the address of `-d ADDRESS/32` or `/128`; undefined without one. */
function findDestination({ options }: RuleArguments): AddressNumber | undefined {
  const option = options.find(({ name, inverted }) => name === "-d" && !inverted);
  const [, address] = /^(.+)\/(?:32|128)$/.exec(option?.values[0] ?? "") ?? [];
  if (address === undefined) return undefined;
  const { first, last } = parseAddressRange(option?.values[0] ?? "");
  return first === last ? first : undefined;
}

function compileMatches({ options, matches }: RuleArguments, scope: RuleScope): readonly RuleStatement[] {
  return [
    ...options.flatMap((option) =>
      attemptMatch(
        () => [compileBaseOption(option)],
        () => formatOption(option),
      ),
    ),
    ...matches.flatMap((extension) => {
      if (UNDECIDABLE.has(extension.name)) return [createUndecidable(`-m ${formatExtension(extension)}`)];
      const compile = MATCHES[extension.name];
      return attemptMatch(
        () => compile?.(extension, scope),
        () => `-m ${formatExtension(extension)}`,
      );
    }),
  ];
}

/** Compiles a match; returns an undecided statement if the compiler is missing or throws. */
function attemptMatch(
  compile: () => readonly RuleStatement[] | undefined,
  describe: () => string,
): readonly RuleStatement[] {
  try {
    return compile() ?? [createUnsupported(describe(), "undecided")];
  } catch (error) {
    return [createUnsupported(error instanceof Error ? error.message : describe(), "undecided")];
  }
}

function compileAction(target: RuleArguments["target"], findChain: (name: string) => Chain | undefined): RuleStatement {
  if (target === undefined) return CONTINUE_ALWAYS;
  const chain = findChain(target.name);
  if (chain !== undefined) {
    const kind = target.goesTo ? "goto" : "jump";
    return () => ({ kind, chain });
  }
  try {
    return compileTarget(target);
  } catch {
    return createUnsupported(`-j ${formatExtension(target)}`, "unknown");
  }
}
