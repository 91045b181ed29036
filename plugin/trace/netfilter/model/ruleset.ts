import type { Hook, HookContext } from "../../hook.ts";
import type { Packet, Translation } from "../../packet.ts";
import type { AddressNumber } from "./address-number.ts";
import { createRuleFinder, type RuleFinder } from "./rule-index.ts";

/** Family of a table: `inet` tables see packets of both IP families. */
export type TableFamily = "ip" | "ip6" | "inet" | "netdev" | "bridge" | "arp";

/** A chain; its rules are compiled when a packet first reaches it. */
export interface Chain {
  readonly family: TableFamily;
  readonly table: string;
  readonly name: string;
  readonly rules: readonly CompiledRule[];
  readonly findRule: RuleFinder;
}

/** A chain that the kernel calls at a hook. */
export interface BaseChain {
  readonly chain: Chain;
  readonly type: "filter" | "nat" | "route";
  readonly hook: Hook;
  /** The kernel calls chains of lower priority first. */
  readonly priority: number;
  readonly policy: "accept" | "drop";
  /** Links of a netdev chain; undefined if the ruleset does not name them. */
  readonly links?: readonly string[];
}

/** A rule as a list of statements: a match may end the rule, an action changes the packet or gives a verdict. */
export interface CompiledRule {
  /** The rule as its tool prints it, without counters. */
  readonly text: string;
  readonly statements: readonly RuleStatement[];
  /** The only destination that the rule can match; undefined if there may be several. */
  readonly destination?: AddressNumber;
}

/** Hook and lookups with which a statement is evaluated. */
export interface StatementContext {
  readonly hook: Hook;
  readonly lookups: HookContext;
}

/** One match or action of a rule. */
export type RuleStatement = (packet: Packet, context: StatementContext) => Result;

/** Effect of one statement on a packet. */
export type Result =
  /** The next statement of the rule follows. */
  | { readonly kind: "continue" }
  /** The rule does not match; the next rule follows. */
  | { readonly kind: "break" }
  /** The packet changes, and the next statement follows. */
  | { readonly kind: "change"; readonly packet: Packet; readonly effect: string }
  /** The connection gets another address or port; no further nat chain of the hook sees the packet. */
  | { readonly kind: "translate"; readonly translation: Translation; readonly effect: string }
  | { readonly kind: "accept" }
  | { readonly kind: "drop" }
  | { readonly kind: "reject"; readonly rejectWith: string }
  | { readonly kind: "return" }
  | { readonly kind: "jump" | "goto"; readonly chain: Chain }
  /** The kernel chooses at random or in turn. */
  | { readonly kind: "choice"; readonly branches: readonly Branch[] }
  /** Neither the packet nor the snapshot can decide whether the rest of the rule applies. */
  | { readonly kind: "undecided"; readonly reason: string }
  /** The verdict cannot be predicted. */
  | { readonly kind: "unknown"; readonly reason: string };

/** One of the possible results of a random choice. */
interface Branch {
  /** From 0 to 1. */
  readonly probability: number;
  readonly result: Result;
}

export const CONTINUE: Result = { kind: "continue" };
export const BREAK: Result = { kind: "break" };

/** Converts a truth value to the result of a match. */
export function toMatchResult(matches: boolean): Result {
  return matches ? CONTINUE : BREAK;
}

/** A statement without effect on the packet: a counter, a comment, a log message. */
export const CONTINUE_ALWAYS: RuleStatement = () => CONTINUE;

/** A part of a rule that cannot be evaluated. */
interface OpenPart {
  readonly reason: string;
  readonly kind: "undecided" | "unknown";
  /** Whether the model supports the part, although no available data decides it. */
  readonly known: boolean;
}

const openParts = new WeakMap<RuleStatement, OpenPart>();

function createOpenStatement(part: OpenPart): RuleStatement {
  const { kind, reason } = part;
  const statement: RuleStatement = () => ({ kind, reason });
  openParts.set(statement, part);
  return statement;
}

/**
 * Creates the statement of a match that neither packet nor snapshot can decide, such as a rate.
 *
 * @param reason The part of the rule, as text.
 */
export function createUndecidable(reason: string): RuleStatement {
  return createOpenStatement({ reason, kind: "undecided", known: true });
}

/**
 * Creates the statement of a match or action that the model does not support.
 *
 * @param reason The part of the rule, as text.
 * @param kind `undecided` for a match, `unknown` for an action.
 */
export function createUnsupported(reason: string, kind: OpenPart["kind"]): RuleStatement {
  return createOpenStatement({ reason, kind, known: false });
}

/** Reports whether a statement is a match that cannot be decided. */
export function isUndecided(statement: RuleStatement): boolean {
  return openParts.get(statement)?.kind === "undecided";
}

/** Returns the text of a statement that the model does not support; undefined for other statements. */
export function findUnsupported(statement: RuleStatement): string | undefined {
  const part = openParts.get(statement);
  return part?.known === false ? part.reason : undefined;
}

/** Creates a rule, without statements that have no effect. */
export function createRule(
  text: string,
  statements: readonly RuleStatement[],
  destination?: AddressNumber,
): CompiledRule {
  return {
    text,
    statements: statements.filter((statement) => statement !== CONTINUE_ALWAYS),
    ...(destination === undefined ? {} : { destination }),
  };
}

/** Creates a chain whose rules are compiled at the first access. */
export function createChain(
  chain: Omit<Chain, "rules" | "findRule">,
  compileRules: () => readonly CompiledRule[],
): Chain {
  let rules: readonly CompiledRule[] | undefined;
  let findRule: RuleFinder | undefined;
  return {
    ...chain,
    get rules() {
      return (rules ??= compileRules());
    },
    get findRule() {
      return (findRule ??= createRuleFinder(this.rules));
    },
  };
}
