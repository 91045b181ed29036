import type { Cluster } from "../../clusters/provider/provider.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { Eventually } from "../harness.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { createNetworkAnnotations, NAMESPACE, buildPod } from "../pods/suite-pods.ts";
import type { PodType } from "../../results/schema.ts";

/** Cluster and pods on which chaos acts. */
export interface ChaosContext {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  /** The suite's pods; recreated if their node is recreated. */
  deployment: Deployment;
  readonly workers: readonly string[];
  /** Returns numbers in [0, 1), the same sequence for the same seed. */
  readonly random: () => number;
  /** Pods that are created and deleted, in addition to the suite's own. */
  readonly testPods: Map<string, ChaosPod>;
  /** State that nodes have lost since the last action. */
  lost: LostState;
}

/** Context of creating and deleting pods. */
export type PodContext = Pick<ChaosContext, "api" | "cluster" | "testPods">;

/** Nodes that have lost state of connections through them. */
export interface LostState {
  /** conntrack was flushed: connections that the node translates end, with any CNI plugin. */
  readonly conntrack: Set<string>;
  /**
   * Routes of Interlay were missing for a tenth of a second: the kernel ends a masqueraded connection to a pod of the node if a
   * packet would leave by another link (nf_nat_oif_changed).
   */
  readonly routes: Set<string>;
}

/** Creates the record of the state that nodes have lost, without entries. */
export const createLostState = (): LostState => ({ conntrack: new Set(), routes: new Set() });

export interface ChaosPod {
  readonly name: string;
  readonly node: string;
  readonly type: PodType;
}

const READY_MS = 90_000;
let number = 0;

/** Creates a pod. */
export async function createChaosPod(
  { api, cluster, testPods }: PodContext,
  testPod: Omit<ChaosPod, "name"> & {
    readonly name?: string;
    readonly address?: string;
    readonly network?: string;
    readonly labels?: Readonly<Record<string, string>>;
  },
): Promise<ChaosPod> {
  const { node, type, name = `chaos-pod-${(number += 1)}`, address, network, labels } = testPod;
  const fixed = address === undefined ? {} : { "interlay.dev/ip": address };
  const manifest = buildPod(
    name,
    node,
    cluster.probeImage,
    { ...createNetworkAnnotations(type, network), ...fixed },
    labels,
  );
  await ensureObject(api, manifest);
  const created = { name, node, type };
  testPods.set(name, created);
  return created;
}

/** Waits until the pod is ready. */
export async function waitForChaosPod({ api }: PodContext, { name }: ChaosPod): Promise<void> {
  await Eventually(
    `pod ${name} is ready`,
    async () => {
      const { status } = await api.core.readNamespacedPod({ namespace: NAMESPACE, name });
      return status?.conditions?.find(({ type }) => type === "Ready")?.status ?? "unknown";
    },
    (ready) => ready === "True",
    { timeout: READY_MS },
  );
}

/** Deletes a pod and waits until its kubelet has torn it down. */
export async function deletePod({ api, testPods }: PodContext, { name }: ChaosPod): Promise<void> {
  await retryOnServerError(() => api.core.deleteNamespacedPod({ namespace: NAMESPACE, name, gracePeriodSeconds: 0 }));
  testPods.delete(name);
  const exists = async (): Promise<boolean> => {
    try {
      await api.core.readNamespacedPod({ namespace: NAMESPACE, name });
      return true;
    } catch (error) {
      if (getStatusCode(error) === 404) return false;
      throw error;
    }
  };
  await Eventually(`pod ${name} is deleted`, exists, (isPresent) => !isPresent, { timeout: READY_MS });
}
