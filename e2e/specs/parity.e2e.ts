import assert from "node:assert/strict";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { hasCapability } from "../../clusters/provider/capabilities.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { variantTitle } from "../../results/title.ts";
import { compareCells } from "../../results/compare-runs.ts";
import { summarizeCells } from "../../results/summarize-cells.ts";
import { removeNamespace } from "../support/cluster-api.ts";
import { BeforeAll, By, DeferCleanup, Describe, It, Skip } from "../harness.ts";
import { type PodState, readPodState, type ParitySide, createSide, readVariantState } from "../parity/side.ts";
import { NAMESPACE } from "../pods/suite-pods.ts";
import { buildClusterSpec } from "../support/build-cluster-spec.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

/**
 * Compares the run's cluster with one of the other provider, created from the same specification. Addresses, MAC addresses and
 * names of node links differ; everything else must be equal, line by line.
 */
export function registerSpecs(run: TestRun): void {
  const { options } = run;
  const other = options.provider === "kind" ? "lab" : "kind";
  Describe("kind and the lab", { labels: ["parity"] }, () => {
    let sides: readonly [ParitySide, ParitySide];
    let facts: readonly [ReadonlyMap<string, PodState>, ReadonlyMap<string, PodState>];

    BeforeAll(
      async () => {
        if (!hasCapability(options.provider, "create-clusters")) Skip("only a cluster that the run created has a twin");
        const ownCluster = await By("the cluster", run.cluster);
        const provider = await loadProvider(other);
        const name = `${options.name}-twin`;
        DeferCleanup(() => provider.down(name, createPlainProgress()));
        const spec = { ...(await buildClusterSpec(options)), name };
        const otherCluster = await By(`its twin, by ${other}`, () => provider.up(spec, createPlainProgress()));
        const both = await By("the pods of the three types in both", () =>
          Promise.all([createSide(ownCluster), createSide(otherCluster)]),
        );
        DeferCleanup(() => Promise.all(both.map(({ deployment }) => deployment.closeProbers())));
        if (!options.keep) DeferCleanup(() => removeNamespace(both[0].api, NAMESPACE));
        sides = both;
        facts = await By("the state of every pod", () => Promise.all([readPodState(both[0]), readPodState(both[1])]));
      },
      { timeout: 0 },
    );

    /** Asserts that a part of every pod's state is the same on both sides. */
    const same = (what: keyof PodState) => {
      const [one, other] = facts.map((side) =>
        Object.fromEntries([...side].map(([pod, state]) => [pod, splitTrimmedLines(state[what])])),
      );
      assert.deepEqual(one, other);
      return Object.values(one ?? {});
    };

    It("have the same pods", () => {
      assert.ok(same("pod").every((text) => text.length > 0));
    });

    It("have the same `ip route` in every pod", () => {
      assert.ok(same("routes").every((text) => text.length > 1));
    });

    It("have the same `ip rule` in every pod", () => {
      assert.ok(same("rules").every((text) => text.length > 1));
    });

    It("have the same plan for every pod, and all of it in the kernel", () => {
      const plans = same("plan").filter((text) => text.length > 1);
      assert.equal(plans.length, (facts[0].size * 2) / 3, "underlay and multi-NIC pods have a plan each");
      for (const plan of plans) assert.ok(plan.length > 10 && !plan.some((line) => line.includes("MISSING")));
    });

    for (const variant of options.variants)
      It(`give the same answers and the same table: ${variantTitle(variant)}`, { timeout: 300_000 }, async () => {
        const [one, other] = await Promise.all([
          readVariantState(sides[0], variant),
          readVariantState(sides[1], variant),
        ]);
        assert.ok(one.results.length > 200, `only ${one.results.length} cells`);
        assert.deepEqual(compareCells(one.results, other.results), []);
        assert.deepEqual(summarizeCells(one.results), summarizeCells(other.results));
        const rules = ({ filters }: typeof one) =>
          filters.map(({ tcpBeLiberal, invalidDrop }) => ({
            tcpBeLiberal,
            invalidDrop: Object.entries(invalidDrop).map(([family, rule]) => [family, rule?.rule]),
          }));
        assert.deepEqual(rules(one), rules(other));
        assert.deepEqual(
          one.results.filter(({ ok }) => !ok).map(({ id, reason }) => `${id}: ${reason ?? ""}`),
          [],
        );
      });
  });
}

const splitTrimmedLines = (text: string): readonly string[] => text.split("\n").map((line) => line.trimEnd());

registerIfMain(import.meta.url, registerSpecs);
