import type { Hook, HookContext, Outcome } from "../hook.ts";
import type { Packet, Translation } from "../packet.ts";
import type { CompiledRuleset } from "./compile-ruleset.ts";
import { type Continuations, createForkBudget, evaluateBaseChain } from "./evaluate-chain.ts";
import type { Stage } from "./hook-stages.ts";
import { createOutcome, type EvaluationProgress } from "./evaluation-progress.ts";
import type { BaseChain } from "./model/ruleset.ts";

/**
 * Evaluates every chain of a hook in the order of priorities: nft tables of all families, iptables-nft and legacy.
 *
 * Conntrack sees the packet at priority -200 and nat chains run together at the nat priority, as the kernel does it since
 * 4.18. A drop or reject of any chain is final.
 *
 * A rule with an undecided part is evaluated both as matching and as not matching. If both have the same outcome, the part
 * does not matter; otherwise the verdict is `unknown` and the rule is the last step.
 *
 * @param ruleset Rules of the network namespace.
 * @param hook The hook that the packet reaches.
 * @param packet The packet as it reaches the hook.
 * @param lookups Lookups in the namespace, and conntrack.
 * @returns One outcome per random branch, at least one; the probabilities add up to 1.
 */
export function evaluateHook(
  ruleset: CompiledRuleset,
  hook: Hook,
  packet: Packet,
  lookups: HookContext,
): readonly Outcome[] {
  const stages = ruleset.selectStages(hook, packet.family).filter((stage) => seesLink(stage, hook, packet));
  const context = { hook, lookups };
  const budget = createForkBudget();

  const evaluateStage = (index: number, progress: EvaluationProgress): readonly Outcome[] => {
    const stage = stages[index];
    if (stage === undefined) return [createOutcome("accept", progress)];
    const accepted = (next: EvaluationProgress) => evaluateStage(index + 1, next);
    switch (stage.kind) {
      case "conntrack":
        return accepted(
          progress.packet.conntrackState === undefined
            ? { ...progress, packet: lookups.track(progress.packet) }
            : progress,
        );
      case "chain":
        return evaluateBaseChain(stage.base, progress, { context, budget, accepted });
      case "nat":
        return evaluateNat(stage.bases, progress, { context, budget, accepted });
    }
  };
  return evaluateStage(0, { packet, steps: undefined, probability: undefined });
}

/** Reports whether a stage sees the packet's link: chains at the hooks ingress and egress see only their own links. */
function seesLink(stage: Stage, hook: Hook, packet: Packet): boolean {
  if (stage.kind !== "chain" || stage.base.links === undefined) return true;
  const link = hook === "egress" ? packet.outLink : packet.inLink;
  return link !== undefined && stage.base.links.includes(link);
}

/** Evaluates nat chains: they decide for the first packet of a connection; conntrack translates the others in the same way. */
function evaluateNat(
  bases: readonly BaseChain[],
  progress: EvaluationProgress,
  continuations: Continuations,
): readonly Outcome[] {
  const { lookups, hook } = continuations.context;
  const { conntrackState } = progress.packet;
  if (conntrackState === undefined || conntrackState === "invalid" || conntrackState === "untracked")
    return continuations.accepted(progress);
  const translated = (before: EvaluationProgress, translation: Translation | undefined) =>
    continuations.accepted({ ...before, packet: lookups.translate(before.packet, hook, translation) });
  if (!lookups.needsTranslation(progress.packet, hook)) return translated(progress, undefined);

  const evaluateFrom = (index: number, before: EvaluationProgress): readonly Outcome[] => {
    const base = bases[index];
    if (base === undefined) return translated(before, undefined);
    const accepted = (next: EvaluationProgress) => evaluateFrom(index + 1, next);
    return evaluateBaseChain(base, before, { ...continuations, accepted, translated });
  };
  return evaluateFrom(0, progress);
}
