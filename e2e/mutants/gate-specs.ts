import assert from "node:assert/strict";
import { By, Eventually, It } from "../harness.ts";
import { decideKubeProxyVerdict, type Variant } from "../cells/gate.ts";
import { decideVerdict } from "../cells/cell-verdict.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { readAgentGates, readAllFilters, switchVariant } from "../deployment/variant.ts";
import type { RunOptions } from "../support/run-options.ts";
import { findWrongObservations, GATE_MUTANTS, type Observation } from "./gate-mutants.ts";
import { LIBERAL, type MutantContext, VARIANT } from "./mutant-context.ts";
import { findAllowlistReason } from "./survivors.ts";

/** Variants that the gate must distinguish; the run's own are added (`--kube-proxy v1.31.4,v1.31.4/nftables`). */
const OBSERVED: readonly Variant[] = [
  { ...VARIANT, returnPath: "liberal" },
  VARIANT,
  LIBERAL,
  { ...LIBERAL, returnPath: "notrack" },
  { kubeProxy: { version: "v1.29.15", mode: "nftables" }, returnPath: "notrack" },
];

/** Registers the spec that compares observed variants with wrong decisions of the gate. */
export function registerGateSpecs(getContext: () => MutantContext, options: RunOptions): void {
  It("fails for each wrong decision of the gate", { timeout: 600_000 }, async () => {
    const context = getContext();
    const observations: Observation[] = [];
    const chosenVariants = options.kubeProxyChosen ? options.variants : [];
    for (const variant of [...OBSERVED, ...chosenVariants].filter(isFirst)) {
      const title = describeVariant(variant);
      const observation = await By(title, () => observeVariant(context, variant));
      observations.push(observation);
      assert.deepEqual(findWrongObservations(observation), [], `${title}, by the gate itself`);
    }
    for (const mutant of GATE_MUTANTS) {
      const problems = observations.flatMap((observation) =>
        findWrongObservations(observation, mutant).map(
          (problem) => `${describeVariant(observation.variant)}: ${problem}`,
        ),
      );
      const allowedBecause = findAllowlistReason(mutant.title);
      context.results.add({
        kind: "gate",
        mutant: mutant.title,
        reason: mutant.reason,
        seen: problems,
        ...(allowedBecause === undefined ? {} : { allowedBecause }),
      });
    }
  });
}

async function observeVariant({ cluster, cells, deployment }: MutantContext, variant: Variant): Promise<Observation> {
  await switchVariant(cluster, variant);
  const isBlocked = cells.some((cell) => decideKubeProxyVerdict(variant, cell).expected === "blocked");
  const agentOpen = await Eventually(
    "the agents report their gates",
    () => readAgentGates(cluster),
    (gates) => cluster.nodes.every(({ name }) => gates.get(name) === !isBlocked),
    { timeout: 20_000 },
  ).catch(() => readAgentGates(cluster)); // compared later
  // The gate does not decide about cells that are blocked by design or by Interlay's guard.
  const gated = cells.filter((cell) => {
    const verdict = decideVerdict(variant, cell);
    return verdict.expected === "pass" || verdict.by === "invalid-rule";
  });
  const results = await runCells(gated, variant, deployment, DEFAULT_RUN);
  const filters = await readAllFilters(cluster, variant.kubeProxy.mode);
  return { variant, cells: gated, actual: results.map(({ actual }) => actual), filters, agentOpen };
}

function describeVariant({ kubeProxy, returnPath }: Variant): string {
  return `${kubeProxy.version}/${kubeProxy.mode}/${returnPath}`;
}

function isFirst(variant: Variant, index: number, variants: readonly Variant[]): boolean {
  return variants.findIndex((candidate) => JSON.stringify(candidate) === JSON.stringify(variant)) === index;
}
