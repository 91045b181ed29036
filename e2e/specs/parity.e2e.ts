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
  const otherProvider = options.provider === "kind" ? "lab" : "kind";
  Describe("kind and the lab", { labels: ["parity"] }, () => {
    let sides: readonly [ParitySide, ParitySide];
    let podStates: readonly [ReadonlyMap<string, PodState>, ReadonlyMap<string, PodState>];

    BeforeAll(
      async () => {
        if (!hasCapability(options.provider, "create-clusters")) Skip("only a cluster that the run created has a twin");
        const ownCluster = await By("the cluster", run.cluster);
        const provider = await loadProvider(otherProvider);
        const name = `${options.name}-twin`;
        DeferCleanup(() => provider.down(name, createPlainProgress()));
        const spec = { ...(await buildClusterSpec(options)), name };
        const otherCluster = await By(`its twin, by ${otherProvider}`, () => provider.up(spec, createPlainProgress()));
        const createdSides = await By("the pods of the three types in both", () =>
          Promise.all([createSide(ownCluster), createSide(otherCluster)]),
        );
        DeferCleanup(() => Promise.all(createdSides.map(({ deployment }) => deployment.closeProbers())));
        if (!options.keep) DeferCleanup(() => removeNamespace(createdSides[0].api, NAMESPACE));
        sides = createdSides;
        podStates = await By("the state of every pod", () =>
          Promise.all([readPodState(createdSides[0]), readPodState(createdSides[1])]),
        );
      },
      { timeout: 0 },
    );

    /** Asserts that a property of each pod is the same on both sides. @returns its lines, one list for each pod */
    const assertSame = (property: keyof PodState) => {
      const [first, second] = podStates.map((side) =>
        Object.fromEntries([...side].map(([pod, state]) => [pod, splitTrimmedLines(state[property])])),
      );
      assert.deepEqual(first, second);
      return Object.values(first ?? {});
    };

    It("have the same pods", () => {
      assert.ok(assertSame("pod").every((text) => text.length > 0));
    });

    It("have the same `ip route` in every pod", () => {
      assert.ok(assertSame("routes").every((text) => text.length > 1));
    });

    It("have the same `ip rule` in every pod", () => {
      assert.ok(assertSame("rules").every((text) => text.length > 1));
    });

    It("have the same plan for every pod, and all of it in the kernel", () => {
      const plans = assertSame("plan").filter((text) => text.length > 1);
      assert.equal(plans.length, (podStates[0].size * 2) / 3, "underlay and multi-NIC pods have a plan each");
      for (const plan of plans) assert.ok(plan.length > 10 && !plan.some((line) => line.includes("MISSING")));
    });

    for (const variant of options.variants)
      It(`give the same answers and the same table: ${variantTitle(variant)}`, { timeout: 300_000 }, async () => {
        const [first, second] = await Promise.all([
          readVariantState(sides[0], variant),
          readVariantState(sides[1], variant),
        ]);
        assert.ok(first.results.length > 200, `only ${first.results.length} cells`);
        assert.deepEqual(compareCells(first.results, second.results), []);
        assert.deepEqual(summarizeCells(first.results), summarizeCells(second.results));
        const rules = ({ filters }: typeof first) =>
          filters.map(({ tcpBeLiberal, invalidDrop }) => ({
            tcpBeLiberal,
            invalidDrop: Object.entries(invalidDrop).map(([family, rule]) => [family, rule?.rule]),
          }));
        assert.deepEqual(rules(first), rules(second));
        assert.deepEqual(
          first.results.filter(({ ok }) => !ok).map(({ id, reason }) => `${id}: ${reason ?? ""}`),
          [],
        );
      });
  });
}

const splitTrimmedLines = (text: string): readonly string[] => text.split("\n").map((line) => line.trimEnd());

registerIfMain(import.meta.url, registerSpecs);
