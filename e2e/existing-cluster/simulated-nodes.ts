import { type ClusterApi, ensureObject } from "../support/cluster-api.ts";

/** Label of simulated nodes. */
export const SIMULATED = "interlay.dev/simulated";
/** Simulated nodes by what a run must find about them. */
const SIMULATED_NODES = { withoutAgent: 40, notReady: 5, cordoned: 5 } as const;

type SimulatedKind = keyof typeof SIMULATED_NODES;

/** Returns a Node without a machine: Ready for a while, not Ready, or cordoned. Pure. */
function buildNode(kind: SimulatedKind, number: number) {
  const name = `simulated-${kind.toLowerCase()}-${String(number).padStart(2, "0")}`;
  const labels = { [SIMULATED]: "true", "kubernetes.io/os": "linux", "kubernetes.io/hostname": name };
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

/** Creates fifty Nodes without machines. @returns a function that deletes them */
export async function createSimulatedNodes(api: ClusterApi): Promise<() => Promise<void>> {
  const kinds = Object.keys(SIMULATED_NODES) as SimulatedKind[];
  const nodes = kinds.flatMap((kind) =>
    Array.from({ length: SIMULATED_NODES[kind] }, (_, index) => buildNode(kind, index + 1)),
  );
  for (const node of nodes) await ensureObject(api, node);
  return async () => {
    for (const { metadata } of nodes) await api.core.deleteNode({ name: metadata.name });
  };
}
