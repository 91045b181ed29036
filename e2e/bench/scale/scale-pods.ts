import type { V1Pod } from "@kubernetes/client-node";
import { reportsReady } from "../../../clusters/kubernetes/ready-condition.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { retryOnServerError, type ClusterApi, ensureObject } from "../../support/cluster-api.ts";
import { createNetworkAnnotations } from "../../pods/suite-pods.ts";
import { TCP_PORT, UDP_PORT } from "../../probe/protocol.ts";
import { POD_TYPES, type PodType } from "../../../results/schema.ts";

export const SCALE_NAMESPACE = "interlay-scale";
const NAMESPACE_OBJECT = { apiVersion: "v1", kind: "Namespace", metadata: { name: SCALE_NAMESPACE } };
/** Maximum number of pods without an address; each takes two processors half a second in Multus and Calico. */
const PARALLEL = 10;
/** Readiness is polled every 100 ms; a busy machine may miss some polls. */
const STALLED_MS = 180_000;
const POLL_MS = 500;
/** Label of pods that are created together, by which they are listed. */
const BATCH = "interlay.dev/scale-batch";

export interface ScalePod {
  readonly name: string;
  readonly type: PodType;
  /** Number of the worker. */
  readonly node: number;
}

/** Returns the n-th pod; nodes alternate, and the types on each node. */
export function buildScalePod(number: number, nodes: number): ScalePod {
  const round = Math.floor(number / nodes);
  const type = POD_TYPES[round % POD_TYPES.length] ?? "overlay";
  return { name: `pod-${number + 1}`, type, node: number % nodes };
}

export const getServiceName = (type: PodType, node: number): string => `${type}-${node + 1}`;

/** Creates the namespace, and a Service for each type on each node. */
export async function createServices(api: ClusterApi, nodes: number): Promise<void> {
  await ensureObject(api, NAMESPACE_OBJECT);
  for (let node = 0; node < nodes; node++)
    for (const type of POD_TYPES) {
      await ensureObject(api, createService(getServiceName(type, node)));
    }
}

function createService(name: string) {
  const port = (portName: string, protocol: "TCP" | "UDP", number: number) => ({
    name: portName,
    protocol,
    port: number,
  });
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: SCALE_NAMESPACE },
    spec: { selector: { serves: name }, ports: [port("tcp", "TCP", TCP_PORT), port("udp", "UDP", UDP_PORT)] },
  };
}

/**
 * Creates pods and waits until all are ready.
 * @returns seconds
 * @throws with the state of the pods that are not ready, without progress
 */
export async function createScalePods(cluster: Cluster, api: ClusterApi, pods: readonly ScalePod[]): Promise<number> {
  const batch = pods[0]?.name ?? "none";
  const list = { namespace: SCALE_NAMESPACE, labelSelector: `${BATCH}=${batch}`, resourceVersion: "0" };
  const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
  const started = performance.now();
  let progressed = started;
  let highest = 0;
  const waiting = [...pods];
  const created = new Set<string>();
  for (;;) {
    const { items: scalePods } = await retryOnServerError(() => api.core.listNamespacedPod(list));
    const withAddress = scalePods.filter(({ status }) => status?.podIP !== undefined).length;
    const ready = scalePods.filter(({ status }) => reportsReady(status));
    if (ready.length === pods.length) return (performance.now() - started) / 1000;
    if (withAddress + ready.length > highest) [highest, progressed] = [withAddress + ready.length, performance.now()];
    if (performance.now() - progressed > STALLED_MS) {
      const notReady = scalePods.filter((pod) => !ready.includes(pod)).map(describePod);
      throw new Error(
        `${pods.length - ready.length} of ${pods.length} pods are not ready, without progress for ${STALLED_MS / 1000} s: ${notReady.join("; ")}`,
      );
    }
    const next = waiting.splice(0, PARALLEL - (created.size - withAddress));
    await Promise.all(
      next.map((pod) => ensureObject(api, createPodManifest(pod, batch, workers[pod.node] ?? "", cluster.probeImage))),
    );
    for (const { name } of next) created.add(name);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Describes the state of a pod. */
function describePod({ metadata, spec, status }: V1Pod): string {
  const [container] = status?.containerStatuses ?? [];
  const runs = container?.state?.running === undefined ? (container?.state?.waiting?.reason ?? "no container") : "runs";
  return `${metadata?.name ?? "?"} on ${spec?.nodeName ?? "?"}: ${status?.phase ?? "?"}, ${status?.podIP ?? "no address"}, ${runs}`;
}

export async function removePod(api: ClusterApi, name: string): Promise<void> {
  await retryOnServerError(() =>
    api.core.deleteNamespacedPod({ namespace: SCALE_NAMESPACE, name, gracePeriodSeconds: 0 }),
  );
}

function createPodManifest({ name, type, node }: ScalePod, batch: string, nodeName: string, image: string) {
  const labels = { serves: getServiceName(type, node), [BATCH]: batch };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: SCALE_NAMESPACE, labels, annotations: createNetworkAnnotations(type) },
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
          // less often than in the suite, because two processors probe five hundred pods
          readinessProbe: { tcpSocket: { port: TCP_PORT }, periodSeconds: 60, failureThreshold: 60 },
        },
      ],
    },
  };
}
