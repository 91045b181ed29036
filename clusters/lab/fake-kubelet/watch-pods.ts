import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type KubeConfig, ListWatch, type V1Pod, Watch } from "@kubernetes/client-node";

/** Interval of the list, in milliseconds. A watch can lose an event, and needs 30 s to notice a dead connection. */
const RESYNC_MS = 5000;
const RESTART_MS = 500;

/** Receives the pods of a node. */
interface PodListener {
  /** UIDs of the pods that the listener has; those that the API server no longer has are reported as missing. */
  listUids(): readonly string[];
  onPod(pod: V1Pod): void;
  onDeleted(uid: string): void;
  /** Called for a pod whose deletion the watch did not report. */
  onMissing(uid: string): void;
  log(line: string): void;
}

/**
 * Watches the pods that are bound to a node, and lists them at intervals in case the watch loses an event.
 *
 * @param signal ends both when it is aborted; the listener is not called afterwards
 */
export async function watchPods(
  config: KubeConfig,
  node: string,
  listener: PodListener,
  signal: AbortSignal,
): Promise<void> {
  const core = config.makeApiClient(CoreV1Api);
  const fieldSelector = `spec.nodeName=${node}`;
  const list = () => core.listPodForAllNamespaces({ fieldSelector });
  const informer = new ListWatch<V1Pod>("/api/v1/pods", new Watch(config), list, false, undefined, fieldSelector);
  signal.addEventListener("abort", () => void informer.stop());
  const onPod = (pod: V1Pod) => {
    if (!signal.aborted) listener.onPod(pod);
  };
  informer.on("add", onPod);
  informer.on("update", onPod);
  informer.on("delete", (pod) => {
    if (!signal.aborted) listener.onDeleted(pod.metadata?.uid ?? "");
  });
  informer.on("error", (error: unknown) => {
    if (signal.aborted) return;
    listener.log(`watch of pods on ${node}: ${String(error)}`);
    setTimeout(() => void informer.start(), RESTART_MS);
  });
  await informer.start();
  void relistPods(core, node, listener, signal);
}

async function relistPods(core: CoreV1Api, node: string, listener: PodListener, signal: AbortSignal): Promise<void> {
  const isAborted = (): boolean => signal.aborted;
  for (;;) {
    await sleep(RESYNC_MS);
    if (isAborted()) return;
    const knownUids = listener.listUids();
    // resourceVersion 0 reads the API server's cache: from etcd, each node would read every pod of the cluster.
    const pods = await core
      .listPodForAllNamespaces({ fieldSelector: `spec.nodeName=${node}`, resourceVersion: "0" })
      .then(({ items }) => items)
      .catch((error: unknown) => {
        listener.log(`list of pods on ${node}: ${String(error)}`);
      });
    if (isAborted()) return;
    if (pods === undefined) continue;
    const existing = new Set(pods.map((pod) => pod.metadata?.uid));
    for (const uid of knownUids) if (!existing.has(uid)) listener.onMissing(uid);
    for (const pod of pods) listener.onPod(pod);
  }
}
