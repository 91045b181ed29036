import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { withCauses } from "../doctor/causes.ts";
import { DOCUMENTED } from "../evidence/documented.ts";
import { captureCells } from "../evidence/capture-cells.ts";
import { EVIDENCE_FAULTS } from "../evidence/evidence-faults.ts";
import { signalAgent } from "../support/agent-process.ts";
import { formatHop } from "../evidence/path.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "../harness.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Variant } from "../cells/gate.ts";
import { switchVariant } from "../deployment/variant.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { setupDeployment } from "../deployment/setup-deployment.ts";

/** kube-proxy has its INVALID rule, which no packet of the matrix meets. */
const VARIANT: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" };

export function registerSpecs(run: TestRun): void {
  Describe("evidence: packet paths in the report are correct", { labels: ["evidence"] }, () => {
    let cluster: Cluster;
    let deployment: Deployment;
    const probeWithCaptures = (ids: readonly string[]) => {
      const cells = listMatrixCells(deployment.workers.length).filter(({ id }) => ids.includes(id));
      assert.equal(cells.length, ids.length, "a cell does not exist");
      return captureCells({ cluster, deployment, variant: VARIANT }, cells);
    };

    BeforeAll(
      async () => {
        ({ cluster, deployment } = await setupDeployment(run));
        await By("kube-proxy v1.29 with the sysctl 0", () => switchVariant(cluster, VARIANT));
      },
      { timeout: 300_000 },
    );

    Describe("the documented scenarios", () => {
      for (const { title, id, request, reply } of DOCUMENTED)
        It(title, async () => {
          const [result] = await probeWithCaptures([id]);
          const seen = result?.evidence?.path?.seen;
          assert.deepEqual([seen?.request.map(formatHop), seen?.reply.map(formatHop)], [request, reply]);
          assert.equal(result?.ok, true, result?.reason);
        });
    });

    Describe("three manual faults", () => {
      for (const fault of EVIDENCE_FAULTS)
        It(fault.title, async () => {
          const node = deployment.workers[fault.worker] ?? "";
          const ids = Object.keys(fault.shown);
          await signalAgent(cluster, node, "STOP");
          DeferCleanup(async () => {
            await signalAgent(cluster, node, "CONT");
            const allOk = (results: Awaited<ReturnType<typeof probeWithCaptures>>) => results.every(({ ok }) => ok);
            await Eventually("the agent has repaired it", () => probeWithCaptures(ids), allOk, { timeout: 60_000 });
          });
          await fault.make({ cluster, deployment });
          const withoutCauses = await By("the cells", () => probeWithCaptures(ids));
          const findNode = (pod: string) => deployment.pods.get(pod)?.node;
          const results = await By("the doctor", () =>
            withCauses(cluster, withoutCauses, listMatrixCells(deployment.workers.length), findNode),
          );
          assert.match(results.map(({ cause }) => cause ?? "").join("\n"), fault.cause);
          for (const { id, ok, reason, cause } of results) {
            assert.equal(ok, false, `${id} still passes`);
            assert.match(reason ?? "", fault.shown[id] ?? /^$/);
            process.stdout.write(`      ${id}: ${reason ?? ""}; likely cause: ${cause ?? "none"}\n`);
          }
        });
    });
  });
}

registerIfMain(import.meta.url, registerSpecs);
