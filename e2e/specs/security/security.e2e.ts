import assert from "node:assert/strict";
import { type AgentFixture, NOTRACK, setupAgentFixture } from "../../agent/agent-fixture.ts";
import { listAttackCells } from "../../cells/attack-cells.ts";
import { runCells } from "../../deployment/run-cells.ts";
import { BeforeAll, Describe, It } from "../../harness.ts";
import { registerPolicySpecs } from "../../security/policy-specs.ts";
import { registerIfMain, type TestRun } from "../../support/test-run.ts";

export function registerSpecs(run: TestRun): void {
  Describe("security", { labels: ["security", "policy"] }, () => {
    let fixture: AgentFixture;
    BeforeAll(
      async () => {
        fixture = await setupAgentFixture(run);
      },
      { timeout: 300_000 },
    );

    It("no datagram with another pod's source address arrives from an underlay pod", async () => {
      const { deployment } = fixture;
      const cells = deployment.families.flatMap((family) =>
        listAttackCells(deployment.workers.length, deployment.features).map((cell) => ({ ...cell, family })),
      );
      assert.ok(cells.length > 0, "the cluster has no source guard");
      const results = await runCells(cells, NOTRACK, deployment);
      assert.deepEqual(
        results.filter(({ ok }) => !ok).map(({ id, reason }) => `${id}: ${reason ?? ""}`),
        [],
      );
    });

    registerPolicySpecs(() => fixture);
  });
}

registerIfMain(import.meta.url, registerSpecs);
