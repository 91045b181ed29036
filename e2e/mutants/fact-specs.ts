import assert from "node:assert/strict";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import { By, It } from "../harness.ts";
import type { Cell } from "../cells/cell.ts";
import { waitForServices } from "../matrix/services-known.ts";
import type { MutantOptions } from "../support/run-options.ts";
import { FACT_MUTANTS, type FactMutant } from "./fact-mutants.ts";
import { type MutantContext, touchesPod, VARIANT } from "./mutant-context.ts";
import type { FailedCell } from "./mutation-runs.ts";
import { RECREATED_PODS } from "./recreate-pods.ts";
import { sampleMutants } from "./sample.ts";

/** Registers the spec that attaches pods with wrong or missing facts. */
export function registerFactSpecs(getContext: () => MutantContext, options: MutantOptions): void {
  It("fails for each wrong or missing fact", { timeout: 1_200_000 }, async () => {
    const context = getContext();
    for (const fact of sampleMutants(FACT_MUTANTS, options, 0.4)) {
      try {
        await By(fact.title, () => testFactMutant(context, fact));
      } finally {
        await By("the pods are attached with the right facts", async () => {
          await context.recreatePods(60_000);
          await waitForServices(context.cells, VARIANT, context.deployment);
        });
      }
      await context.assertAllPass(VARIANT, `after "${fact.title}" was corrected`);
    }
  });
}

/** Recreates pods with the wrong fact, and probes every cell if they start. */
async function testFactMutant(
  context: MutantContext,
  { title, reason, make, returnPath, allowedBecause }: FactMutant,
): Promise<void> {
  const undo = await make(context.cluster, context.node);
  let failed: readonly FailedCell[] = [];
  const blockedIds = returnPath === undefined ? undefined : context.runs.listBlockedCells({ ...VARIANT, returnPath });
  const mayFail = (cell: Cell) => blockedIds?.includes(cell.id) ?? RECREATED_PODS.some((pod) => touchesPod(cell, pod));
  let startError = "";
  try {
    try {
      await context.recreatePods();
    } catch (error) {
      startError = getErrorMessage(error);
    }
    if (startError === "") failed = await context.runs.listFailedCells(VARIANT, mayFail);
  } finally {
    await undo();
  }
  if (startError !== "") {
    context.results.add({ kind: "fact", mutant: title, reason, seen: [`pods do not start: ${startError}`] });
    return;
  }
  const failedIds = context.runs.recordResult({ kind: "fact", title, reason, allowedBecause, mayFail }, failed);
  if (blockedIds !== undefined) assert.deepEqual(failedIds, blockedIds, title);
}
