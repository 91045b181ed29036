import type { Cluster } from "../../clusters/provider.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, type ClusterApi, ensureObject } from "../support/cluster-api.ts";
import { Eventually } from "../harness.ts";
import type { Deployment } from "../pods/deploy.ts";
import { createNetworkAnnotations, NAMESPACE, pod } from "../pods/pods.ts";
import type { PodType } from "../../results/schema.ts";

/** What chaos acts on. */
export interface ChaosContext {
  readonly cluster: Cluster;
  readonly api: ClusterApi;
  /** The suite's pods; recreated if their node is recreated. */
  deployment: Deployment;
  readonly workers: readonly string[];
  /** In [0, 1), the same row for the same seed. */
  readonly random: () => number;
  /** Pods that are created and deleted, in addition to the suite's own. */
  readonly guests: Map<string, ChaosPod>;
  /** Since the last action. */
  lost: LostState;
}

/** What pods come to and go from. */
export type PodContext = Pick<ChaosContext, "api" | "cluster" | "guests">;

/** Nodes that have lost what connections through them live by. */
export interface LostState {
  /** What a node translates has no way back without it, with any CNI plugin. */
  readonly conntrack: Set<string>;
  /**
   * Of ours, for a tenth of a second: the kernel ends what is masqueraded to a pod of the node itself if a packet would leave by
   * another link meanwhile (nf_nat_oif_changed).
   */
  readonly routes: Set<string>;
}

export const createLostState = (): LostState => ({ conntrack: new Set(), routes: new Set() });

export interface ChaosPod {
  readonly name: string;
  readonly node: string;
  readonly type: PodType;
}

const READY_MS = 90_000;
let number = 0;

/** A pod more; resolves at once, or when it is ready. */
export async function createPod(
  { api, cluster, guests }: PodContext,
  guest: Omit<ChaosPod, "name"> & {
    readonly name?: string;
    readonly address?: string;
    readonly network?: string;
    readonly labels?: Readonly<Record<string, string>>;
  },
): Promise<ChaosPod> {
  const { node, type, name = `guest-${(number += 1)}`, address, network, labels } = guest;
  const fixed = address === undefined ? {} : { "interlay.dev/ip": address };
  const manifest = pod(
    name,
    node,
    cluster.probeImage,
    { ...createNetworkAnnotations(type, network), ...fixed },
    labels,
  );
  await ensureObject(api, manifest);
  const made = { name, node, type };
  guests.set(name, made);
  return made;
}

export async function waitUntilReady({ api }: PodContext, { name }: ChaosPod): Promise<void> {
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

/** Resolves when the pod is gone from the API: its kubelet has torn it down. */
export async function deletePod({ api, guests }: PodContext, { name }: ChaosPod): Promise<void> {
  await retryOnServerError(() => api.core.deleteNamespacedPod({ namespace: NAMESPACE, name, gracePeriodSeconds: 0 }));
  guests.delete(name);
  const there = async (): Promise<boolean> => {
    try {
      await api.core.readNamespacedPod({ namespace: NAMESPACE, name });
      return true;
    } catch (error) {
      if (getStatusCode(error) === 404) return false;
      throw error;
    }
  };
  await Eventually(`pod ${name} is gone`, there, (is) => !is, { timeout: READY_MS });
}
