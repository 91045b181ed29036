import type { Outcome } from "../hook.ts";
import type { Packet, Translation } from "../packet.ts";
import { addStep, areSameOutcomes, createOutcome, type EvaluationProgress } from "./progress.ts";
import type { BaseChain, Chain, Result, CompiledRule, StatementContext } from "./model/ruleset.ts";

/** Continuations after a base chain has finished with a packet. */
export interface Continuations {
  readonly context: StatementContext;
  readonly budget: ForkBudget;
  readonly accepted: (progress: EvaluationProgress) => readonly Outcome[];
  /** Nat chains only. */
  readonly translated?: (progress: EvaluationProgress, translation: Translation) => readonly Outcome[];
}

/** Forks that one evaluation may still make for undecided rules. */
interface ForkBudget {
  left: number;
}

/** Makes the budget of one evaluation; once it is used up, an undecided rule gives the verdict `unknown` at once. */
export function createForkBudget(): ForkBudget {
  return { left: 256 };
}

/** Position in a chain: the statement to evaluate next. */
interface Position {
  readonly chain: Chain;
  readonly rule: number;
  readonly statement: number;
  /** Effects of the rule so far. */
  readonly effects: readonly string[];
  /** Where `return` and the end of the chain lead; undefined in a base chain. */
  readonly caller: Position | undefined;
}

/**
 * Evaluates a base chain and the chains that it jumps to.
 *
 * @param base The chain.
 * @param progress The packet as it reaches the chain.
 * @param continuations What follows when the chain accepts or translates.
 */
export function evaluateBaseChain(
  base: BaseChain,
  progress: EvaluationProgress,
  continuations: Continuations,
): readonly Outcome[] {
  const { context, budget, accepted, translated } = continuations;

  const applyPolicy = (current: EvaluationProgress): readonly Outcome[] =>
    base.policy === "accept"
      ? accepted(current)
      : [createOutcome("drop", addStep(current, base.chain, "policy drop", "drop"))];

  /** Follows the rules from a position until a verdict or a fork; `chosen` is the result of the first statement if known. */
  const follow = (from: Position, before: EvaluationProgress, chosen?: Result): readonly Outcome[] => {
    let position = from;
    let current = before;
    let pending = chosen;
    for (;;) {
      if (position.statement === 0) position = skipExcludedRules(position, current.packet);
      const rule = position.chain.rules[position.rule];
      if (rule === undefined) {
        if (position.caller === undefined) return applyPolicy(current);
        position = position.caller;
        continue;
      }
      const statement = rule.statements[position.statement];
      if (statement === undefined) {
        if (position.effects.length > 0) current = addRuleStep(current, position, rule);
        position = skipRule(position);
        continue;
      }
      const result: Result = pending ?? statement(current.packet, context);
      pending = undefined;
      switch (result.kind) {
        case "break":
          if (position.effects.length > 0) current = addRuleStep(current, position, rule);
          position = skipRule(position);
          continue;
        case "continue":
          position = passStatement(position);
          continue;
        case "change":
          current = { ...current, packet: result.packet };
          position = passStatement(position, result.effect);
          continue;
        case "jump":
        case "goto":
          current = addRuleStep(current, position, rule, `${result.kind} ${result.chain.name}`);
          position = enterChain(result.chain, result.kind === "jump" ? skipRule(position) : position.caller);
          continue;
        case "return":
          current = addRuleStep(current, position, rule, "return");
          if (position.caller === undefined) return applyPolicy(current);
          position = position.caller;
          continue;
        case "accept":
          return accepted(addRuleStep(current, position, rule, "accept"));
        case "translate": {
          const next = addRuleStep(current, position, rule, result.effect);
          return translated?.(next, result.translation) ?? [createOutcome("unknown", next)];
        }
        case "drop":
          return [createOutcome("drop", addRuleStep(current, position, rule, "drop"))];
        case "reject": {
          const { rejectWith } = result;
          const last = addRuleStep(current, position, rule, `reject with ${rejectWith}`);
          return [{ ...createOutcome("reject", last), rejectWith }];
        }
        case "unknown":
          return [createOutcome("unknown", addRuleStep(current, position, rule, `unknown: ${result.reason}`))];
        case "choice": {
          const { probability = 1 } = current;
          return result.branches.flatMap((branch) =>
            follow(position, { ...current, probability: probability * branch.probability }, branch.result),
          );
        }
        case "undecided": {
          const last = addRuleStep(current, position, rule, `unknown: ${result.reason}`);
          if (budget.left-- <= 0) return [createOutcome("unknown", last)];
          const unmatched = follow(position, current, { kind: "break" });
          const matched = follow(position, current, { kind: "continue" });
          return areSameOutcomes(unmatched, matched) ? unmatched : [createOutcome("unknown", last)];
        }
      }
    }
  };
  return follow(enterChain(base.chain, undefined), progress);
}

function enterChain(chain: Chain, caller: Position | undefined): Position {
  return { chain, rule: 0, statement: 0, effects: [], caller };
}

function skipExcludedRules(position: Position, packet: Packet): Position {
  const rule = position.chain.findRule(position.rule, packet);
  return rule === position.rule ? position : { ...position, rule };
}

function skipRule(position: Position): Position {
  return { ...position, rule: position.rule + 1, statement: 0, effects: [] };
}

function passStatement(position: Position, effect?: string): Position {
  const effects = effect === undefined ? position.effects : [...position.effects, effect];
  return { ...position, statement: position.statement + 1, effects };
}

/** Adds the step of a rule: what it did before, and the last effect. */
function addRuleStep(
  progress: EvaluationProgress,
  { chain, effects }: Position,
  rule: CompiledRule,
  last?: string,
): EvaluationProgress {
  return addStep(progress, chain, rule.text, [...effects, ...(last === undefined ? [] : [last])].join(", "));
}
