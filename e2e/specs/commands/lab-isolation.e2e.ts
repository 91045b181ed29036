import assert from "node:assert/strict";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { diffLines, readStableNodes } from "../../existing-cluster/cluster-state.ts";
import { BeforeAll, Describe, Eventually, It, Skip } from "../../harness.ts";
import { findOrphanedResources } from "../../lab-isolation/orphaned-resources.ts";
import { runE2eProcess } from "../../support/e2e-process.ts";
import { setupCluster } from "../../support/setup-cluster.ts";
import { registerIfMain, type TestRun } from "../../support/test-run.ts";

const RUN_TIMEOUT_MS = 600_000;
const ONE_VARIANT = ["--kube-proxy", "v1.29.15", "--return-path", "notrack"];

/** Other labs with the same addresses as this run's: they do not interfere, and leave nothing. */
export function registerSpecs(run: TestRun): void {
  Describe("isolation of labs", { labels: ["lab-isolation"] }, () => {
    let cluster: Cluster;

    BeforeAll(
      async () => {
        ({ cluster } = await setupCluster(run));
      },
      { timeout: 0 },
    );

    const assertNothingLeft = (name: string) =>
      Eventually(
        `nothing left of the lab ${name}`,
        () => findOrphanedResources(name),
        (remains) => remains.length === 0,
      );

    It(
      "the matrix passes in a second lab, and the first lab's state does not change",
      { timeout: RUN_TIMEOUT_MS },
      async () => {
        if (cluster.provider !== "lab") Skip("labs are tested in a lab");
        const name = `${cluster.spec.name}-b`;
        const before = await readStableNodes(cluster);
        const { exitCode, stdout, stderr } = await runE2eProcess(["--provider", "lab", "--name", name, ...ONE_VARIANT]);
        assert.equal(exitCode, 0, `${stdout}${stderr}`.slice(-4000));
        assert.deepEqual(diffLines(before, await readStableNodes(cluster)), []);
        await assertNothingLeft(name);
      },
    );

    for (const [when, interruptAt] of [
      ["while its nodes are created", /> start the lab/],
      ["while its workloads are installed", /> install kube-proxy/],
      ["while cells are probed", /pods of the three types/],
    ] as const)
      It(`a lab leaves nothing after Ctrl-C ${when}`, { timeout: RUN_TIMEOUT_MS }, async () => {
        if (cluster.provider !== "lab") Skip("labs are tested in a lab");
        const name = `${cluster.spec.name}-c`;
        const argv = ["--provider", "lab", "--name", name, ...ONE_VARIANT];
        const { exitCode, stdout, stderr } = await runE2eProcess(argv, interruptAt);
        assert.equal(exitCode, 130, `${stdout}${stderr}`.slice(-4000));
        await assertNothingLeft(name);
      });
  });
}

registerIfMain(import.meta.url, registerSpecs);
