import assert from "node:assert/strict";
import { reportsReady } from "../../clusters/kubernetes/ready-condition.ts";
import { retryOnServerError, ensureObject } from "../support/cluster-api.ts";
import { DeferCleanup, Eventually } from "../harness.ts";
import type { Cell } from "../cells/cell.ts";
import type { Deployment } from "../deployment/deploy.ts";
import type { DeployedPod } from "../deployment/deployed-pods.ts";
import { NAMESPACE, buildPod, podName } from "../pods/suite-pods.ts";
import { POD_TYPES } from "../../results/schema.ts";
import { TCP_PORT } from "../probe/protocol.ts";
import type { FaultContext, FaultPod } from "./doctor-fault.ts";

export const FAULT_POD = "fault-run";
const POLL = { timeout: 60_000 };

/** Creates the pod of a fault run; it is deleted when the spec ends. */
export async function createFaultRun({ cluster, api }: FaultContext, faultPod: FaultPod, node: string): Promise<void> {
  await ensureObject(api, buildPod(FAULT_POD, node, cluster.probeImage, faultPod.annotations));
  DeferCleanup(async () => {
    await api.core.deleteNamespacedPod({ name: FAULT_POD, namespace: NAMESPACE, gracePeriodSeconds: 0 });
    await Eventually(
      "the fault run's pod is deleted",
      async () => (await retryOnServerError(() => api.core.listNamespacedPod({ namespace: NAMESPACE }))).items,
      (items) => items.every(({ metadata }) => metadata?.name !== FAULT_POD),
      POLL,
    );
  });
}

/** Asserts that the pod does not start, and that a warning has the reason. */
export async function assertPodPending({ api }: FaultContext, { warning = /./ }: FaultPod): Promise<void> {
  const uid = (await api.core.readNamespacedPod({ name: FAULT_POD, namespace: NAMESPACE })).metadata?.uid ?? "";
  await Eventually(
    `a warning of the fault run's pod that matches ${String(warning)}`,
    async () =>
      (await api.core.listNamespacedEvent({ namespace: NAMESPACE })).items
        .filter(({ type, involvedObject }) => type === "Warning" && involvedObject.uid === uid)
        .map(({ message = "" }) => message),
    (messages) => messages.some((message) => warning.test(message)),
    POLL,
  );
  const { status } = await api.core.readNamespacedPod({ name: FAULT_POD, namespace: NAMESPACE });
  assert.equal(status?.phase, "Pending", "the fault run's pod has started");
}

/** Waits until the pod is ready. @returns its PodIP */
export function assertPodStarts({ api }: Pick<FaultContext, "api">): Promise<string> {
  return Eventually(
    "the fault run's pod is ready",
    async () => {
      const { status } = await api.core.readNamespacedPod({ name: FAULT_POD, namespace: NAMESPACE });
      return reportsReady(status) ? (status?.podIP ?? "") : "";
    },
    (address) => address !== "",
    POLL,
  );
}

/** Returns a deployment with one more pod. */
export function runWithPod(deployment: Deployment, faultPod: DeployedPod): Deployment {
  const address = faultPod.addresses.main.ipv4 ?? "";
  return {
    ...deployment,
    pods: new Map([...deployment.pods, [faultPod.name, faultPod]]),
    getAddress: (endpoint, nic, family) =>
      endpoint === faultPod.name ? address : deployment.getAddress(endpoint, nic, family),
    locate: (cell) =>
      cell.to.kind === "pod" && cell.to.pod === faultPod.name ? { address, port: cell.port } : deployment.locate(cell),
  };
}

/** Returns cells from every client pod to the fault run's pod, which is an overlay pod on the second worker. */
export function listFaultCells(workers: number): readonly Cell[] {
  return Array.from({ length: workers }, (_, node) => node).flatMap((node) =>
    POD_TYPES.map((source): Cell => {
      const from = podName(source, node, "a");
      return {
        id: `${from} to the fault run's pod`,
        group: "matrix",
        source,
        from,
        sourceNode: node,
        target: "overlay",
        to: { kind: "pod", pod: FAULT_POD, nic: "main" },
        placement: node === 1 ? "same-node" : "other-node",
        protocol: "tcp",
        family: "ipv4",
        port: TCP_PORT,
        server: FAULT_POD,
        reaches: { type: "overlay", node: 1, nic: "main" },
        toOverlayAddress: true,
      };
    }),
  );
}
