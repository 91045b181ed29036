import { setTimeout as sleep } from "node:timers/promises";
import { PatchStrategy } from "@kubernetes/client-node";
import { type ClusterApi, ensureObject } from "../support/cluster-api.ts";

/** Number of simulated nodes by the state that a run must detect. */
export const SIMULATED_NODES = { withoutAgent: 40, notReady: 5, cordoned: 5 } as const;
/** Milliseconds between two renewals of a Lease, as kubelet's: without them a node is not Ready after 40 s. */
const RENEW_MS = 10_000;

type SimulatedKind = keyof typeof SIMULATED_NODES;

/** Returns a Node without a machine: Ready while its Lease is renewed, not Ready, or cordoned. Pure. */
function buildNode(kind: SimulatedKind, number: number) {
  const name = `simulated-${kind.toLowerCase()}-${String(number).padStart(2, "0")}`;
  const labels = { "kubernetes.io/os": "linux", "kubernetes.io/hostname": name };
  const now = new Date().toISOString();
  const condition = { type: "Ready", status: kind === "notReady" ? "False" : "True", reason: "Simulated" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: Object.assign({}, { name, labels }),
    spec: { unschedulable: kind === "cordoned" },
    status: {
      conditions: [{ ...condition, message: "", lastHeartbeatTime: now, lastTransitionTime: now }],
      nodeInfo: { operatingSystem: "linux", kubeletVersion: "v1.29.15", kernelVersion: "6.1.0" },
    },
  };
}

/** Returns the Lease that keeps a node Ready. Pure. */
function buildLease(name: string) {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: Object.assign({}, { name, namespace: "kube-node-lease" }),
    spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: new Date().toISOString().replace("Z", "000Z") },
  };
}

/** Renews the Leases of nodes until it is stopped. A renewal that fails leaves its node not Ready, which the run then reports. */
async function renewLeases(api: ClusterApi, names: readonly string[], stop: AbortSignal): Promise<void> {
  const renew = async (name: string): Promise<void> => {
    const lease = buildLease(name);
    if (!(await ensureObject(api, lease)))
      await api.objects.patch(lease, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
  };
  while (!stop.aborted) {
    await Promise.allSettled(names.map(renew));
    await sleep(RENEW_MS, undefined, { signal: stop }).catch(() => undefined);
  }
}

/** Creates fifty Nodes without machines, and renews the Leases of those that must stay Ready. @returns a function that deletes them */
export async function createSimulatedNodes(api: ClusterApi): Promise<() => Promise<void>> {
  const kinds = Object.keys(SIMULATED_NODES) as SimulatedKind[];
  const nodes = kinds.flatMap((kind) =>
    Array.from({ length: SIMULATED_NODES[kind] }, (_, index) => ({ kind, node: buildNode(kind, index + 1) })),
  );
  for (const { node } of nodes) await ensureObject(api, node);
  const renewedNames = nodes.flatMap(({ kind, node }) => (kind === "notReady" ? [] : [node.metadata.name]));
  const abortController = new AbortController();
  const renewal = renewLeases(api, renewedNames, abortController.signal);
  return async () => {
    abortController.abort();
    await renewal;
    for (const { node } of nodes) await api.core.deleteNode({ name: node.metadata.name });
    for (const name of renewedNames) await api.objects.delete(buildLease(name));
  };
}
