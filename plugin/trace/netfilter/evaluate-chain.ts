import type { Outcome } from "../hook.ts";
import type { Translation } from "../packet.ts";
import { addStep, areSameOutcomes, createOutcome, type EvaluationProgress } from "./evaluation-progress.ts";
import type { BaseChain, Chain, Result, StatementContext } from "./model/ruleset.ts";

/** Continuations after a base chain has finished with a packet. */
export interface Continuations {
  readonly context: StatementContext;
  readonly budget: ForkBudget;
  readonly accepted: (progress: EvaluationProgress) => readonly Outcome[];
  /** Continues after a translation; for nat chains only. */
  readonly translated?: (progress: EvaluationProgress, translation: Translation) => readonly Outcome[];
}

/** Number of forks that an evaluation may still make for undecided rules. */
interface ForkBudget {
  remaining: number;
}

/** Creates the budget of one evaluation; when it is used up, an undecided rule gives the verdict `unknown`. */
export function createForkBudget(): ForkBudget {
  return { remaining: 256 };
}

/** Position in a chain: the statement to evaluate next. */
interface Position {
  readonly chain: Chain;
  readonly rule: number;
  readonly statement: number;
  /** Effects of the rule so far. */
  readonly effects: readonly string[];
  /** Position after `return` or the end of the chain; undefined in a base chain. */
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
    // Variables instead of an object, for speed: a packet passes thousands of statements.
    let { chain, rule, statement, effects, caller } = from;
    let current = before;
    let pending = chosen;
    const addRuleStep = (last?: string): void => {
      const text = chain.rules[rule]?.text ?? "";
      current = addStep(current, chain, text, [...effects, ...(last === undefined ? [] : [last])].join(", "));
    };
    const startRule = (next: number): void => {
      [rule, statement, effects] = [next, 0, NO_EFFECTS];
    };
    for (;;) {
      if (statement === 0) rule = chain.findRule(rule, current.packet);
      const compiled = chain.rules[rule];
      if (compiled === undefined) {
        if (caller === undefined) return applyPolicy(current);
        ({ chain, rule, statement, effects, caller } = caller);
        continue;
      }
      const evaluate = compiled.statements[statement];
      if (evaluate === undefined) {
        if (effects.length > 0) addRuleStep();
        startRule(rule + 1);
        continue;
      }
      const result: Result = pending ?? evaluate(current.packet, context);
      pending = undefined;
      switch (result.kind) {
        case "break":
          if (effects.length > 0) addRuleStep();
          startRule(rule + 1);
          continue;
        case "continue":
          statement += 1;
          continue;
        case "change":
          current = { ...current, packet: result.packet };
          effects = [...effects, result.effect];
          statement += 1;
          continue;
        case "jump":
        case "goto":
          addRuleStep(`${result.kind} ${result.chain.name}`);
          if (result.kind === "jump") caller = { chain, rule: rule + 1, statement: 0, effects: NO_EFFECTS, caller };
          chain = result.chain;
          startRule(0);
          continue;
        case "return":
          addRuleStep("return");
          if (caller === undefined) return applyPolicy(current);
          ({ chain, rule, statement, effects, caller } = caller);
          continue;
        case "accept":
          addRuleStep("accept");
          return accepted(current);
        case "translate":
          addRuleStep(result.effect);
          return translated?.(current, result.translation) ?? [createOutcome("unknown", current)];
        case "drop":
          addRuleStep("drop");
          return [createOutcome("drop", current)];
        case "reject": {
          const { rejectWith } = result;
          addRuleStep(`reject with ${rejectWith}`);
          return [{ ...createOutcome("reject", current), rejectWith }];
        }
        case "unknown":
          addRuleStep(`unknown: ${result.reason}`);
          return [createOutcome("unknown", current)];
        case "choice": {
          const { probability = 1 } = current;
          const position = { chain, rule, statement, effects, caller };
          return result.branches.flatMap((branch) =>
            follow(position, { ...current, probability: probability * branch.probability }, branch.result),
          );
        }
        case "undecided": {
          const position = { chain, rule, statement, effects, caller };
          const reached = current;
          addRuleStep(`unknown: ${result.reason}`);
          if (budget.remaining-- <= 0) return [createOutcome("unknown", current)];
          const unmatched = follow(position, reached, { kind: "break" });
          const matched = follow(position, reached, { kind: "continue" });
          return areSameOutcomes(unmatched, matched) ? unmatched : [createOutcome("unknown", current)];
        }
      }
    }
  };
  return follow({ chain: base.chain, rule: 0, statement: 0, effects: NO_EFFECTS, caller: undefined }, progress);
}

const NO_EFFECTS: readonly string[] = [];
