import type { V1Pod } from "@kubernetes/client-node";
import { reportsReady } from "../../../clusters/kubernetes/ready-condition.ts";
import type { Cluster } from "../../../clusters/provider.ts";
import { retryOnServerError, type ClusterApi, ensureObject } from "../../support/cluster-api.ts";
import { createNetworkAnnotations } from "../../pods/pods.ts";
import { TCP_PORT, UDP_PORT } from "../../probe/protocol.ts";
import { POD_TYPES, type PodType } from "../../../results/schema.ts";

export const NAMESPACE = "interlay-scale";
const NAMESPACE_OBJECT = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
/** Pods without an address yet: each costs two processors half a second in Multus and Calico, and a node runner takes four at once. */
const AT_ONCE = 10;
/** Readiness is polled every 100 ms; a busy machine may miss some polls. */
const STILL_MS = 180_000;
const LOOK_MS = 500;
/** Label of the pods that are waited for together: only those are listed, and from the API server's memory. */
const BATCH = "interlay.dev/scale-batch";

export interface ScalePod {
  readonly name: string;
  readonly type: PodType;
  /** Number of its worker. */
  readonly node: number;
}

/** The n-th pod: nodes in turn, and on each the types in turn. */
export function buildPod(number: number, nodes: number): ScalePod {
  const round = Math.floor(number / nodes);
  const type = POD_TYPES[round % POD_TYPES.length] ?? "overlay";
  return { name: `pod-${number + 1}`, type, node: number % nodes };
}

export const serviceName = (type: PodType, node: number): string => `${type}-${node + 1}`;

/** The namespace, and before the pods of a type on a node a Service. */
export async function createServices(api: ClusterApi, nodes: number): Promise<void> {
  await ensureObject(api, NAMESPACE_OBJECT);
  for (let node = 0; node < nodes; node++)
    for (const type of POD_TYPES) {
      await ensureObject(api, service(serviceName(type, node)));
    }
}

function service(name: string) {
  const port = (of: string, protocol: "TCP" | "UDP", number: number) => ({ name: of, protocol, port: number });
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: NAMESPACE },
    spec: { selector: { serves: name }, ports: [port("tcp", "TCP", TCP_PORT), port("udp", "UDP", UDP_PORT)] },
  };
}

/** Makes pods, and waits until their nodes reach every one; seconds. Throws with who is not ready, and how far they came. */
export async function createScalePods(cluster: Cluster, api: ClusterApi, pods: readonly ScalePod[]): Promise<number> {
  const batch = pods[0]?.name ?? "none";
  const list = { namespace: NAMESPACE, labelSelector: `${BATCH}=${batch}`, resourceVersion: "0" };
  const workers = cluster.nodes.filter(({ role }) => role === "worker").map(({ name }) => name);
  const started = performance.now();
  let progressed = started;
  let most = 0;
  const waiting = [...pods];
  const made = new Set<string>();
  for (;;) {
    const { items: mine } = await retryOnServerError(() => api.core.listNamespacedPod(list));
    const wired = mine.filter(({ status }) => status?.podIP !== undefined).length;
    const ready = mine.filter(({ status }) => reportsReady(status));
    if (ready.length === pods.length) return (performance.now() - started) / 1000;
    if (wired + ready.length > most) [most, progressed] = [wired + ready.length, performance.now()];
    if (performance.now() - progressed > STILL_MS) {
      const late = mine.filter((pod) => !ready.includes(pod)).map(readPodState);
      throw new Error(
        `${pods.length - ready.length} of ${pods.length} pods are not ready, and nothing went on for ${STILL_MS / 1000} s: ${late.join("; ")}`,
      );
    }
    const next = waiting.splice(0, AT_ONCE - (made.size - wired));
    await Promise.all(
      next.map((pod) => ensureObject(api, manifest(pod, batch, workers[pod.node] ?? "", cluster.probeImage))),
    );
    for (const { name } of next) made.add(name);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** How far a pod came, in some words. */
function readPodState({ metadata, spec, status }: V1Pod): string {
  const [container] = status?.containerStatuses ?? [];
  const runs = container?.state?.running === undefined ? (container?.state?.waiting?.reason ?? "no container") : "runs";
  return `${metadata?.name ?? "?"} on ${spec?.nodeName ?? "?"}: ${status?.phase ?? "?"}, ${status?.podIP ?? "no address"}, ${runs}`;
}

export async function removePod(api: ClusterApi, name: string): Promise<void> {
  await retryOnServerError(() => api.core.deleteNamespacedPod({ namespace: NAMESPACE, name, gracePeriodSeconds: 0 }));
}

function manifest({ name, type, node }: ScalePod, batch: string, nodeName: string, image: string) {
  const labels = { serves: serviceName(type, node), [BATCH]: batch };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE, labels, annotations: createNetworkAnnotations(type) },
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
          readinessProbe: { tcpSocket: { port: TCP_PORT }, periodSeconds: 60, failureThreshold: 60 },
        },
      ],
    },
  };
}
