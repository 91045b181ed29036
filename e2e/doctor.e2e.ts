import assert from "node:assert/strict";
import type { Cluster } from "../clusters/provider.ts";
import { must, signalAgent } from "./agent-process.ts";
import { clusterApi } from "./cluster-api.ts";
import { theCluster } from "./context.ts";
import { findingsOf } from "./doctor/causes.ts";
import { type Findings, runDoctor } from "./doctor/doctor.ts";
import { FAULTS, type FaultContext } from "./doctor/faults.ts";
import { PREDICTED, predictedFailures } from "./doctor/predicted.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It } from "./harness.ts";
import { type Cell, cells } from "./matrix/cells.ts";
import type { Variant } from "./matrix/gate.ts";
import { runCells } from "./matrix/run.ts";
import { switchTo } from "./matrix/variant.ts";
import { deploy, type Deployment } from "./pods/deploy.ts";

/** Every cell passes by it: what fails under a fault fails by the fault. */
const HEALTHY: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" };
const RUN = { passTimeoutMs: 1500, blockedTimeoutMs: 1500, parallel: 48, attempts: 2, firstToken: 0 } as const;

Describe("doctor: what is predicted is what the probes show", { labels: ["doctor"] }, () => {
  let cluster: Cluster;
  let deployment: Deployment;
  let asked: readonly Cell[];
  let context: FaultContext;
  // A lab has no kubelet that would let one into the agents' pods.
  const doctor = (): Promise<Findings> =>
    cluster.provider === "lab" ? findingsOf(cluster) : runDoctor(cluster.kubeconfig);
  const nodeOf = (pod: string): string | undefined => deployment.pods.get(pod)?.node;

  BeforeAll(
    async () => {
      cluster = await theCluster();
      deployment = await By("the pods of the three types", () => deploy(cluster, clusterApi(cluster)));
      DeferCleanup(() => deployment.closeProbers());
      asked = cells(deployment.workers.length).filter(({ group }) => PREDICTED.includes(group));
      await By("kube-proxy v1.29 with the sysctl 0", () => switchTo(cluster, HEALTHY));
      const node = deployment.workers[0] ?? "";
      context = {
        cluster,
        node,
        on: (argv) => must(cluster, node, argv),
        address: (pod, nic) => deployment.addressOf(pod, nic),
        pauseAgent: () => signalAgent(cluster, node, "STOP"),
        resumeAgent: () => signalAgent(cluster, node, "CONT"),
      };
    },
    { timeout: 300_000 },
  );

  const predictionHolds = async (findings: Findings): Promise<readonly string[]> => {
    const predicted = predictedFailures(findings, asked, nodeOf);
    const results = await By(`${asked.length} cells`, () => runCells(asked, HEALTHY, deployment, RUN));
    const failed = results.filter(({ actual }) => actual === "fail").map(({ id }) => id);
    const not = (list: readonly string[], other: readonly string[]) => list.filter((id) => !other.includes(id));
    assert.deepEqual(
      { failedAndNotPredicted: not(failed, predicted), predictedAndPassed: not(predicted, failed) },
      { failedAndNotPredicted: [], predictedAndPassed: [] },
      findings.map(({ message }) => message).join("\n"),
    );
    return predicted;
  };

  It("finds nothing in a healthy cluster, and every cell passes", async () => {
    const findings = await Eventually("no finding", doctor, (list) => list.length === 0, { timeout: 60_000 });
    assert.deepEqual(await predictionHolds(findings), []);
  });

  for (const fault of FAULTS)
    It(fault.title, { timeout: 180_000 }, async () => {
      DeferCleanup(async () => {
        await fault.undo(context);
        await Eventually("no finding once it is undone", doctor, (list) => list.length === 0, { timeout: 60_000 });
      });
      await By("make the fault", () => fault.make(context));
      const found = (list: Findings) => list.some(({ check }) => check === fault.check);
      const findings = await By("doctor", () => Eventually(`finding ${fault.check}`, doctor, found));
      const predicted = await predictionHolds(findings);
      assert.ok(predicted.length > 0, "the fault makes no cell fail: it is no test of the prediction");
    });
});
