import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider.ts";
import { diffLines, readNodes } from "../existing-cluster/cluster-state.ts";
import { BeforeAll, By, Describe, Eventually, It, Skip } from "../harness.ts";
import { startConcurrentRun } from "../lab-isolation/concurrent-run.ts";
import { findOrphanedResources } from "../lab-isolation/orphaned-resources.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";

const RUN_TIMEOUT_MS = 600_000;
const ONE_VARIANT = ["--kube-proxy", "v1.29.15", "--return-path", "notrack"];

/** Other labs with the same addresses as this run's: they do not interfere, and leave nothing. */
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
      "the matrix passes in a second lab, and the first lab's state does not change",
      { timeout: RUN_TIMEOUT_MS },
      async () => {
        if (cluster.provider !== "lab") Skip("labs are tested in a lab");
        const name = `${cluster.spec.name}-b`;
        const before = await readNodes(cluster);
        const { exitCode, output } = await startConcurrentRun(["--name", name, ...ONE_VARIANT]);
        assert.equal(exitCode, 0, output.slice(-4000));
        assert.deepEqual(diffLines(before, await readNodes(cluster)), []);
        await nothingIsLeft(name);
      },
    );

    for (const [when, at] of [
      ["while its nodes are created", /> start the lab/],
      ["while its workloads are installed", /> install kube-proxy/],
      ["while cells are probed", /pods of the three types/],
    ] as const)
      It(`a lab leaves nothing after Ctrl-C ${when}`, { timeout: RUN_TIMEOUT_MS }, async () => {
        if (cluster.provider !== "lab") Skip("labs are tested in a lab");
        const name = `${cluster.spec.name}-c`;
        const { exitCode, output } = await startConcurrentRun(["--name", name, ...ONE_VARIANT], at);
        assert.equal(exitCode, 130, output.slice(-4000));
        await nothingIsLeft(name);
      });
  });
}

registerIfMain(import.meta.url, registerSpecs);
