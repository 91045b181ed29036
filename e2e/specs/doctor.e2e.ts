import assert from "node:assert/strict";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode, signalAgent } from "../support/agent-process.ts";
import { listFindings } from "../doctor/causes.ts";
import { comparePrediction, HEALTHY } from "../doctor/compare-prediction.ts";
import { type Findings, runDoctorCommand } from "../doctor/doctor.ts";
import { FAULTS } from "../doctor/doctor-faults.ts";
import { buildUnderlayNetwork } from "../doctor/start-faults.ts";
import type { FaultContext, FaultPod } from "../doctor/doctor-fault.ts";
import { isInNetwork, PREDICTED } from "../doctor/predicted.ts";
import {
  listFaultCells,
  createFaultRun,
  assertPodStarts,
  FAULT_POD,
  assertPodPending,
  runWithPod,
} from "../doctor/fault-run.ts";
import { BeforeAll, By, DeferCleanup, Describe, Eventually, It, Skip } from "../harness.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Cell } from "../cells/cell.ts";
import { switchVariant } from "../deployment/variant.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { registerIfMain, type TestRun } from "../support/test-run.ts";
import { setupDeployment } from "../deployment/setup-deployment.ts";

export function registerSpecs(run: TestRun): void {
  Describe("doctor: predictions match the probes", { labels: ["doctor"] }, () => {
    let cluster: Cluster;
    let deployment: Deployment;
    let supportedCells: readonly Cell[];
    let context: FaultContext;
    // A lab has no kubelet that runs programs in the agents' pods.
    const runDoctor = (): Promise<Findings> =>
      cluster.provider === "lab" ? listFindings(cluster) : runDoctorCommand(cluster.kubeconfig);

    BeforeAll(
      async () => {
        const fixture = await setupDeployment(run);
        const { api } = fixture;
        ({ cluster, deployment } = fixture);
        supportedCells = listMatrixCells(deployment.workers.length).filter(({ group }) => PREDICTED.includes(group));
        await By("kube-proxy v1.29 with the sysctl 0", () => switchVariant(cluster, HEALTHY));
        const node = deployment.workers[0] ?? "";
        context = {
          cluster,
          api,
          execOnNode: (argv) => runOnNode(cluster, node, argv),
          getAddress: (pod, nic) => deployment.getAddress(pod, nic),
          pauseAgent: () => signalAgent(cluster, node, "STOP"),
          resumeAgent: () => signalAgent(cluster, node, "CONT"),
        };
      },
      { timeout: 300_000 },
    );

    const assertPrediction = async (
      findings: Findings,
      cells: readonly Cell[] = supportedCells,
      deployed: Deployment = deployment,
      isUncertain = false,
    ): Promise<readonly string[]> => {
      const { predicted, ...differences } = await By(`${cells.length} cells`, () =>
        comparePrediction(findings, cells, deployed),
      );
      const messages = findings.map(({ message }) => message).join("\n");
      const { failedAndNotPredicted, predictedAndPassed } = differences;
      // Of two hosts with an address either may have the last word, so that some of the cells pass.
      const passed = isUncertain && predictedAndPassed.length < predicted.length ? [] : predictedAndPassed;
      assert.deepEqual([failedAndNotPredicted, passed], [[], []], messages);
      return predicted;
    };

    /** Asserts the state of the fault run's pod. @returns cells to it, if it is probed */
    const checkFaultPod = async (faultPod: FaultPod): Promise<readonly [readonly Cell[], Deployment]> => {
      const noCells = [[], deployment] as const;
      if (faultPod.state === "waits") {
        await By("the fault run's pod waits", () => assertPodPending(context, faultPod));
        return noCells;
      }
      const address = await By("the fault run's pod starts", () => assertPodStarts(context));
      const node = deployment.workers[faultPod.elsewhere ? 1 : 0] ?? "";
      const deployedPod = { name: FAULT_POD, node, addresses: { main: { ipv4: address }, net1: {} } };
      if (faultPod.state === "probed")
        return [listFaultCells(deployment.workers.length), runWithPod(deployment, deployedPod)];
      assert.ok(isInNetwork(address, cluster.spec.overlayCidr), `${address} is not an overlay address`);
      return noCells;
    };

    It("finds nothing in a healthy cluster, and every cell passes", async () => {
      const findings = await Eventually("no finding", runDoctor, (list) => list.length === 0, { timeout: 60_000 });
      assert.deepEqual(await assertPrediction(findings), []);
    });

    for (const fault of FAULTS)
      It(fault.title, { timeout: 180_000 }, async () => {
        if (fault.labOnly && cluster.provider !== "lab") Skip("the external host of this provider is not privileged");
        const { pod: faultPod } = fault;
        DeferCleanup(() =>
          Eventually("no finding after the fault", runDoctor, (list) => list.length === 0, { timeout: 60_000 }),
        );
        for (const name of fault.networks ?? [])
          DeferCleanup(() => context.api.objects.delete(buildUnderlayNetwork(name)));
        let undone = false;
        const undo = async () => {
          if (!undone) await fault.undo(context);
          undone = true;
        };
        DeferCleanup(undo);
        await By("make the fault", () => fault.make(context));
        if (faultPod !== undefined)
          await createFaultRun(context, faultPod, deployment.workers[faultPod.elsewhere ? 1 : 0] ?? "");
        const severity = fault.severity ?? "fails";
        const findings = await By("doctor", () =>
          Eventually(`finding ${fault.check}`, runDoctor, (list) =>
            list.some((finding) => finding.check === fault.check && finding.severity === severity),
          ),
        );
        const [faultCells, deployed] = faultPod === undefined ? [[], deployment] : await checkFaultPod(faultPod);
        const isUncertain = fault.check === "duplicate-address";
        const predicted = await assertPrediction(findings, [...supportedCells, ...faultCells], deployed, isUncertain);
        if (severity === "fails")
          assert.ok(predicted.length > 0, "the fault makes no cell fail, so it does not test the prediction");
        else assert.deepEqual(predicted, [], "running pods are attached");
        if (faultPod?.state !== "waits") return;
        await undo();
        await By("the fault run's pod starts after the fault", () => assertPodStarts(context));
      });
  });
}

registerIfMain(import.meta.url, registerSpecs);
