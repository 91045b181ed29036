import type { V1Pod } from "@kubernetes/client-node";
import { z } from "zod";
import { reportsReady } from "../../clusters/kubernetes/ready-condition.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, ensureObject } from "../support/cluster-api.ts";
import { Eventually } from "../harness.ts";
import { type IpamContext, IPAM_NAMESPACE } from "./ipam-context.ts";
import type { KubeObject } from "../pods/kube-object.ts";

const READY_MS = 150_000;

const counts = z.object({
  metadata: z.object({ generation: z.number().default(0) }),
  status: z
    .object({
      observedGeneration: z.number().default(0),
      replicas: z.number().default(0),
      updatedReplicas: z.number().default(0),
      availableReplicas: z.number().default(0),
      readyReplicas: z.number().default(0),
    })
    .prefault({}),
});

interface WorkloadOptions {
  readonly network: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly node?: string;
  readonly hostNetwork?: boolean;
}

function buildPodSpec(
  { cluster }: IpamContext,
  { node, hostNetwork = false }: Pick<WorkloadOptions, "node" | "hostNetwork">,
) {
  return {
    ...(node === undefined ? {} : { nodeName: node }),
    hostNetwork,
    terminationGracePeriodSeconds: 0,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    containers: [{ name: "probe", image: cluster.probeImage, imagePullPolicy: "IfNotPresent" }],
  };
}

const annotateNetwork = (network: string): Readonly<Record<string, string>> => ({
  "v1.multus-cni.io/default-network": `${IPAM_NAMESPACE}/${network}`,
});

/** Creates a single pod. In the node's network it only sleeps, because its port would be the node's. */
export async function createIpamPod(context: IpamContext, name: string, options: WorkloadOptions): Promise<void> {
  const { network, annotations = {} } = options;
  const object: KubeObject = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: IPAM_NAMESPACE,
      annotations: { ...(options.hostNetwork === true ? {} : annotateNetwork(network)), ...annotations },
    },
    spec: buildPodSpec(context, options),
  };
  await ensureObject(context.api, object);
}

export const toPodRef = (name: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: IPAM_NAMESPACE },
});

export async function readPod({ api }: IpamContext, name: string): Promise<V1Pod | undefined> {
  return retryOnServerError(() => api.core.readNamespacedPod({ name, namespace: IPAM_NAMESPACE })).catch(
    (error: unknown) => {
      if (getStatusCode(error) === 404) return undefined;
      throw error;
    },
  );
}

/** Waits until a pod is ready. @param previousUid uid of a deleted pod of that name @returns its address */
export async function readAddress(context: IpamContext, name: string, previousUid?: string): Promise<string> {
  const pod = await Eventually(
    `pod ${name} runs`,
    () => readPod(context, name),
    (pod) => staysReady(pod) && pod?.metadata?.uid !== previousUid,
    { timeout: READY_MS },
  );
  return pod?.status?.podIP ?? "";
}

export async function waitUntilGone(context: IpamContext, name: string): Promise<void> {
  await Eventually(
    `pod ${name} is deleted`,
    () => readPod(context, name),
    (pod) => pod === undefined,
    { timeout: READY_MS },
  );
}

function staysReady(pod: V1Pod | undefined): boolean {
  return pod?.metadata?.deletionTimestamp === undefined && reportsReady(pod?.status);
}

/** Builds a Deployment or StatefulSet on one network. */
export function createWorkload(
  context: IpamContext,
  kind: "Deployment" | "StatefulSet",
  name: string,
  options: Pick<WorkloadOptions, "network" | "annotations"> & {
    readonly replicas: number;
    readonly strategy?: { readonly maxSurge: number; readonly maxUnavailable: number };
  },
): KubeObject {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind,
    metadata: { name, namespace: IPAM_NAMESPACE },
    spec: {
      replicas: options.replicas,
      selector: { matchLabels: labels },
      ...(kind === "StatefulSet" ? { serviceName: name, podManagementPolicy: "Parallel" } : {}),
      ...(options.strategy === undefined ? {} : { strategy: { rollingUpdate: options.strategy } }),
      template: {
        metadata: { labels, annotations: { ...annotateNetwork(options.network), ...options.annotations } },
        spec: buildPodSpec(context, {}),
      },
    },
  };
}

/**
 * Waits until every replica of the current template is ready and no other pod exists.
 * @returns their addresses, sorted
 */
export async function waitForReplicas(
  context: IpamContext,
  object: KubeObject,
  replicas: number,
): Promise<readonly string[]> {
  const name = object.metadata.name;
  await Eventually(
    `${name} has its ${replicas} pods`,
    async () => counts.parse(await context.api.objects.read(object)),
    ({ metadata, status }) =>
      status.observedGeneration >= metadata.generation &&
      [status.replicas, status.updatedReplicas, status.readyReplicas].every((count) => count === replicas),
    { timeout: READY_MS },
  );
  const pods = await Eventually(
    `only the pods of ${name} exist`,
    () =>
      retryOnServerError(() =>
        context.api.core.listNamespacedPod({ namespace: IPAM_NAMESPACE, labelSelector: `app=${name}` }),
      ),
    ({ items }) => items.length === replicas,
    { timeout: READY_MS },
  );
  return pods.items.map(({ status }) => status?.podIP ?? "").toSorted();
}

/** Changes the template, so that every pod is recreated. */
export async function rollOut(
  context: IpamContext,
  { apiVersion, kind, metadata }: KubeObject,
  mark: string,
): Promise<void> {
  await context.mergeObject({
    apiVersion,
    kind,
    metadata,
    spec: { template: { metadata: { annotations: { mark } } } },
  });
}

export async function scaleWorkload(
  context: IpamContext,
  { apiVersion, kind, metadata }: KubeObject,
  replicas: number,
): Promise<void> {
  await context.mergeObject({ apiVersion, kind, metadata, spec: { replicas } });
}
