import assert from "node:assert/strict";
import { BeforeAll, Describe, It } from "../harness.ts";
import { registerFactSpecs } from "../mutants/fact-specs.ts";
import { registerForwardSpecs } from "../mutants/forward-specs.ts";
import { registerGateSpecs } from "../mutants/gate-specs.ts";
import { registerKubeProxySpecs } from "../mutants/kube-proxy-specs.ts";
import { MutantContext, VARIANT } from "../mutants/mutant-context.ts";
import { registerNodeRuleSpecs } from "../mutants/node-rule-specs.ts";
import { registerPodItemSpecs } from "../mutants/pod-item-specs.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

/**
 * Registers the mutation tests of the matrix. In a running cluster they remove or change plan items, nft rules, facts and decisions of
 * the gate, one at a time. Cells that depend on the changed item must fail, and no other cells. INTERLAY_MUTANTS=N tests a sample: N
 * plan items and rules, and fewer mutants of the other kinds. INTERLAY_SEED selects it.
 */
export function registerSpecs(run: TestRun): void {
  Describe("mutants: the matrix detects missing and wrong state", { labels: ["mutants"] }, () => {
    let context: MutantContext;
    const getContext = () => context;

    BeforeAll(
      async () => {
        context = await MutantContext.setup(run);
      },
      { timeout: 300_000 },
    );

    It("passes without mutants", () => context.assertAllPass(VARIANT, "without mutants"));
    registerPodItemSpecs(getContext, run.options.mutants);
    registerNodeRuleSpecs(getContext);
    registerForwardSpecs(getContext);
    registerFactSpecs(getContext, run.options.mutants);
    registerKubeProxySpecs(getContext);
    registerGateSpecs(getContext, run.options);

    It("no mutant survives without a reason", async () => {
      const { cluster, deployment, results } = context;
      results.printSummary();
      // Only complete runs are recorded.
      if (run.options.mutants.count === undefined)
        await results.write({
          provider: cluster.provider,
          versions: cluster.versions,
          families: deployment.families,
        });
      assert.deepEqual(results.unexplainedSurvivors, []);
    });
  });
}

registerIfMain(import.meta.url, registerSpecs);
