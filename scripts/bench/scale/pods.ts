import type { Cluster } from "../../../clusters/provider.ts";
import { type ClusterApi, ensure } from "../../../e2e/cluster-api.ts";
import { annotations } from "../../../e2e/pods/pods.ts";
import { TCP_PORT, UDP_PORT } from "../../../e2e/probe/protocol.ts";
import { POD_TYPES, type PodType } from "../../../results/schema.ts";

export const NAMESPACE = "interlay-scale";
const NAMESPACE_OBJECT = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
const PARALLEL = 20;
const READY_MS = 300_000;
const LOOK_MS = 500;

export interface ScalePod {
  readonly name: string;
  readonly type: PodType;
  /** Number of its worker. */
  readonly node: number;
}

/** The n-th pod: nodes in turn, and on each the types in turn. */
export function nthPod(number: number, nodes: number): ScalePod {
  const round = Math.floor(number / nodes);
  const type = POD_TYPES[round % POD_TYPES.length] ?? "overlay";
  return { name: `pod-${number + 1}`, type, node: number % nodes };
}

export const serviceName = (type: PodType, node: number): string => `${type}-${node + 1}`;

/** The namespace, and before the pods of a type on a node a Service. */
export async function makeServices(api: ClusterApi, nodes: number): Promise<void> {
  await ensure(api, NAMESPACE_OBJECT);
  for (let node = 0; node < nodes; node++)
    for (const type of POD_TYPES) {
      await ensure(api, service(serviceName(type, node)));
    }
}

function service(name: string) {
  const port = (of: string, protocol: "TCP" | "UDP", number: number) => ({ name: of, protocol, port: number });
  return {
    ...{ apiVersion: "v1", kind: "Service", metadata: { name, namespace: NAMESPACE } },
    spec: { selector: { serves: name }, ports: [port("tcp", "TCP", TCP_PORT), port("udp", "UDP", UDP_PORT)] },
  };
}

/** Makes pods, and waits until their nodes reach every one; seconds. Throws with who is not ready. */
export async function makePods(cluster: Cluster, api: ClusterApi, pods: readonly ScalePod[]): Promise<number> {
  const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
  const started = performance.now();
  const waiting = [...pods];
  const worker = async () => {
    for (let pod = waiting.shift(); pod !== undefined; pod = waiting.shift())
      await ensure(api, manifest(pod, workers[pod.node] ?? "", cluster.probeImage));
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  const names = new Set(pods.map(({ name }) => name));
  for (;;) {
    const { items } = await api.core.listNamespacedPod({ namespace: NAMESPACE });
    const ready = items.filter(
      ({ metadata, status }) =>
        names.has(metadata?.name ?? "") &&
        status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
    );
    if (ready.length === names.size) return (performance.now() - started) / 1000;
    if (performance.now() - started > READY_MS)
      throw new Error(`${names.size - ready.length} of ${names.size} pods are not ready after ${READY_MS / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

export async function removePod(api: ClusterApi, name: string): Promise<void> {
  await api.core.deleteNamespacedPod({ namespace: NAMESPACE, name, gracePeriodSeconds: 0 });
}

function manifest({ name, type, node }: ScalePod, nodeName: string, image: string) {
  const labels = { serves: serviceName(type, node) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels, annotations: annotations(type) },
    spec: {
      nodeName,
      terminationGracePeriodSeconds: 0,
      enableServiceLinks: false,
      automountServiceAccountToken: false,
      containers: [
        {
          name: "probe",
          image,
          imagePullPolicy: "IfNotPresent",
          env: [{ name: "PROBE_NAME", value: name }],
          // less often than the suite's own: five hundred of them are asked by two processors
          readinessProbe: { tcpSocket: { port: TCP_PORT }, periodSeconds: 15, failureThreshold: 60 },
        },
      ],
    },
  };
}
