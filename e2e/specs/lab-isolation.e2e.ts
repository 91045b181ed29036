import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider.ts";
import { diffLines, readNodes } from "../existing-cluster/cluster-state.ts";
import { BeforeAll, By, Describe, Eventually, It, Skip } from "../harness.ts";
import { startConcurrentRun } from "../lab-isolation/concurrent-run.ts";
import { findOrphanedResources } from "../lab-isolation/orphaned-resources.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

const RUN_TIMEOUT_MS = 600_000;
const ONE_VARIANT = ["--kube-proxy", "v1.29.15", "--return-path", "notrack"];

/** Labs beside this run's, which have the same addresses: they do not meet, and none leaves anything. */
export function registerSpecs(run: TestRun): void {
  Describe("isolation of labs", { labels: ["lab-isolation"] }, () => {
    let cluster: Cluster;

    BeforeAll(
      async () => {
        cluster = await By("the cluster", run.cluster);
      },
      { timeout: 0 },
    );

    const nothingIsLeft = (name: string) =>
      Eventually(
        `nothing left of the lab ${name}`,
        () => findOrphanedResources(name),
        (left) => left.length === 0,
      );

    It(
      "stand side by side: the matrix passes in another one, and this one is as it was",
      { timeout: RUN_TIMEOUT_MS },
      async () => {
        if (cluster.provider !== "lab") Skip("labs are asked about in a lab");
        const name = `${cluster.spec.name}-b`;
        const before = await readNodes(cluster);
        const { exitCode, output } = await startConcurrentRun(["--name", name, ...ONE_VARIANT]);
        assert.equal(exitCode, 0, output.slice(-4000));
        assert.deepEqual(diffLines(before, await readNodes(cluster)), []);
        await nothingIsLeft(name);
      },
    );

    for (const [when, at] of [
      ["while its machines are made", /> start the lab/],
      ["while its workloads are installed", /> install kube-proxy/],
      ["while cells are asked", /pods of the three types/],
    ] as const)
      It(`leave nothing after Ctrl-C ${when}`, { timeout: RUN_TIMEOUT_MS }, async () => {
        if (cluster.provider !== "lab") Skip("labs are asked about in a lab");
        const name = `${cluster.spec.name}-c`;
        const { exitCode, output } = await startConcurrentRun(["--name", name, ...ONE_VARIANT], at);
        assert.equal(exitCode, 130, output.slice(-4000));
        await nothingIsLeft(name);
      });
  });
}

registerIfMain(import.meta.url, registerSpecs);
