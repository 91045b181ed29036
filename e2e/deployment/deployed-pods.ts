import type { V1Pod } from "@kubernetes/client-node";
import { z } from "zod";
import { reportsReady } from "../../clusters/kubernetes/ready-condition.ts";
import type { Nic } from "../cells/cell.ts";
import { type Addresses, groupByFamily } from "../pods/pod-addresses.ts";
import { DIGEST, type Manifest } from "../pods/suite-pods.ts";
import { type ClusterApi, removeNamespace, retryOnServerError } from "../support/cluster-api.ts";

/** Multus writes one entry for each interface. */
const networkStatus = z.array(
  z.object({ interface: z.string().optional(), ips: z.array(z.string()).default([]), default: z.boolean().optional() }),
);

/** A pod of the suite that runs. */
export interface DeployedPod {
  readonly name: string;
  readonly node: string;
  readonly addresses: Readonly<Record<Nic, Addresses>>;
}

/** Pods of the suite by name. */
interface ReadyPods {
  readonly pods: ReadonlyMap<string, DeployedPod>;
  /** Pods that run but are not ready, each with its node. */
  readonly notReady: readonly string[];
}

/** Removes the namespace if its pods have another image or other manifests, or will not recover. */
export async function removeForeignPods(
  api: ClusterApi,
  namespace: string,
  desired: readonly Manifest[],
): Promise<void> {
  const { items } = await retryOnServerError(() =>
    api.core.listNamespace({ fieldSelector: `metadata.name=${namespace}` }),
  );
  const [existingNamespace] = items;
  if (existingNamespace === undefined) return;
  const podList = await retryOnServerError(() => api.core.listNamespacedPod({ namespace }));
  const hasBrokenPod = podList.items.some((pod) => pod.status?.phase === "Failed" || pod.status?.phase === "Unknown");
  const isForeign = existingNamespace.metadata?.annotations?.[DIGEST] !== desired[0]?.metadata.annotations?.[DIGEST];
  if (isForeign || hasBrokenPod) await removeNamespace(api, namespace);
}

/**
 * Waits until pods are ready.
 *
 * @param desired names of the pods; chaos has other pods in the namespace
 * @throws if a pod does not run after the timeout, with the last warning
 */
export async function waitUntilPodsReady(
  api: ClusterApi,
  namespace: string,
  desired: readonly string[],
  timeoutMs: number,
): Promise<ReadyPods> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const podList = await retryOnServerError(() => api.core.listNamespacedPod({ namespace }));
    const items = podList.items.filter(({ metadata }) => desired.includes(metadata?.name ?? ""));
    const missing = desired.filter((name) => !items.some(({ metadata }) => metadata?.name === name));
    const waiting = items.filter(({ status }) => !reportsReady(status));
    const pods = new Map(items.map(toDeployedPod).map((pod) => [pod.name, pod]));
    if (waiting.length === 0 && missing.length === 0) return { pods, notReady: [] };
    if (Date.now() > deadline) {
      const names = waiting.map((pod) => `${pod.metadata?.name ?? "?"} on ${pod.spec?.nodeName ?? "no node"}`);
      if (
        missing.length === 0 &&
        items.every(({ status }) => status?.phase === "Running" && status.podIP !== undefined)
      )
        return { pods, notReady: names };
      const events = await api.core.listNamespacedEvent({ namespace });
      const warnings = events.items.filter((event) => event.type === "Warning").map((e) => e.message ?? "");
      throw new Error(
        `${waiting.length + missing.length} of ${desired.length} pods are not ready after ${timeoutMs / 1000} s: ${[...names, ...missing.map((name) => `${name}, which does not exist`)].join(", ")}. ${warnings.at(-1) ?? ""}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Reads name, node and addresses of a pod. */
export function toDeployedPod(pod: V1Pod): DeployedPod {
  const addresses = {
    main: groupByFamily((pod.status?.podIPs ?? []).map(({ ip }) => ip)),
    net1: groupByFamily(parseNet1Addresses(pod.metadata?.annotations?.["k8s.v1.cni.cncf.io/network-status"])),
  };
  return { name: pod.metadata?.name ?? "", node: pod.spec?.nodeName ?? "", addresses };
}

function parseNet1Addresses(annotation: string | undefined): readonly string[] {
  if (annotation === undefined) return [];
  return networkStatus.parse(JSON.parse(annotation)).find((entry) => entry.interface === "net1")?.ips ?? [];
}
