import type { Outcome, RuleStep } from "../hook.ts";
import type { Packet } from "../packet.ts";
import type { Chain } from "./model/ruleset.ts";

/** A packet on its way through the chains of a hook. */
export interface EvaluationProgress {
  readonly packet: Packet;
  readonly steps: StepList | undefined;
  /** Share of packets that take this branch; undefined before the first random choice. */
  readonly probability: number | undefined;
}

/** Linked list of steps, the last one first, so that branches share their common steps. */
interface StepList {
  readonly step: RuleStep;
  readonly before: StepList | undefined;
}

/** Adds a step of a chain. */
export function addStep(progress: EvaluationProgress, chain: Chain, text: string, effect: string): EvaluationProgress {
  const step = { family: chain.family, table: chain.table, chain: chain.name, text, effect };
  return { ...progress, steps: { step, before: progress.steps } };
}

/** Creates the outcome of an evaluation. */
export function createOutcome(verdict: Outcome["verdict"], progress: EvaluationProgress): Outcome {
  const steps: RuleStep[] = [];
  for (let list = progress.steps; list !== undefined; list = list.before) steps.push(list.step);
  const { packet, probability } = progress;
  return { verdict, packet, steps: steps.reverse(), ...(probability === undefined ? {} : { probability }) };
}

/** Reports whether two lists of outcomes differ only in the rules that led to them. */
export function areSameOutcomes(outcomes: readonly Outcome[], otherOutcomes: readonly Outcome[]): boolean {
  return (
    outcomes.length === otherOutcomes.length &&
    outcomes.every((outcome, index) => describeEnd(outcome) === describeEnd(otherOutcomes[index]))
  );
}

function describeEnd(outcome: Outcome | undefined): string {
  if (outcome === undefined) return "";
  const { verdict, packet, rejectWith, probability } = outcome;
  return JSON.stringify([
    verdict,
    rejectWith,
    probability,
    Object.entries(packet).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
