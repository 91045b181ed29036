import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { BatchV1Api, CoreV1Api, type KubeConfig, KubernetesObjectApi, Log, type V1Pod } from "@kubernetes/client-node";
import { ignoreStatus } from "../../clusters/kubernetes/status-code.ts";
import { OWNER_LABEL } from "../../clusters/provider/provider.ts";
import { JOB_NAME, JOB_NAMESPACE, listCreatedObjects, type JobManifest, RESULTS_MAP } from "./manifests.ts";
import { type FetchedResults, unpackResults } from "./results-map.ts";

const POLL_MS = 1000;
/** Time for a node to get the image; a larger one takes longer. */
const START_TIMEOUT_MS = 300_000;

/** A Job that runs the suite in a cluster. */
export class ClusterJob {
  readonly #config: KubeConfig;
  readonly #core: CoreV1Api;
  readonly #batch: BatchV1Api;
  readonly #objects: KubernetesObjectApi;

  constructor(config: KubeConfig) {
    this.#config = config;
    this.#core = config.makeApiClient(CoreV1Api);
    this.#batch = config.makeApiClient(BatchV1Api);
    this.#objects = KubernetesObjectApi.makeApiClient(config);
  }

  /**
   * Creates the objects. A namespace that exists is used: it may contain the Secret or the claim that the Job needs.
   * @throws if the Job exists: another run uses it, or was interrupted
   */
  async create(manifests: readonly JobManifest[]): Promise<void> {
    const job = { namespace: JOB_NAMESPACE, name: JOB_NAME };
    const existing = await this.#batch.readNamespacedJob(job).catch(ignoreStatus(404));
    if (existing !== undefined)
      throw new Error(`Job ${JOB_NAMESPACE}/${JOB_NAME} exists: wait for that run, or remove it with --remove`);
    for (const manifest of manifests) await this.#objects.create(manifest).catch(ignoreStatus(409));
  }

  /**
   * Waits until the Job has ended.
   * @param write receives the output of the run; undefined: it is not read
   * @throws if its pod does not start, or `stop` is aborted
   */
  async wait(write: Writable | undefined, stop: AbortSignal): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    let isFollowing = false;
    for (;;) {
      stop.throwIfAborted();
      const pod = await this.#findPod();
      if (write !== undefined && !isFollowing && pod?.status?.phase === "Running") {
        isFollowing = true;
        await new Log(this.#config).log(JOB_NAMESPACE, pod.metadata?.name ?? "", "suite", write, {
          follow: true,
        });
      }
      const { status } = await this.#batch.readNamespacedJob({ namespace: JOB_NAMESPACE, name: JOB_NAME });
      if (status?.conditions?.some(({ type, status: holds }) => /^(Complete|Failed)$/.test(type) && holds === "True"))
        return;
      const problem = describeWaiting(pod);
      if (problem !== undefined && Date.now() > deadline)
        throw new Error(`the pod of the run does not start: ${problem}`);
      await sleep(POLL_MS);
    }
  }

  /** Reads the results. @throws if the run wrote none; the error contains the end of its output */
  async fetchResults(): Promise<FetchedResults> {
    const map = await this.#core
      .readNamespacedConfigMap({ namespace: JOB_NAMESPACE, name: RESULTS_MAP })
      .catch(ignoreStatus(404));
    if (map !== undefined) return unpackResults(map);
    const pod = await this.#findPod();
    const log = await this.#core
      .readNamespacedPodLog({ namespace: JOB_NAMESPACE, name: pod?.metadata?.name ?? "", tailLines: 20 })
      .catch(() => "its pod is gone");
    throw new Error(`the run ended without results:\n${log}`);
  }

  /** Removes the Job, then its other objects: a running Job needs its permissions to restore the cluster. */
  async remove(): Promise<void> {
    const job = { namespace: JOB_NAMESPACE, name: JOB_NAME };
    await this.#batch.deleteNamespacedJob({ ...job, propagationPolicy: "Foreground" }).catch(ignoreStatus(404));
    while ((await this.#findPod()) !== undefined) await sleep(POLL_MS);
    for (const { apiVersion, kind, metadata } of listCreatedObjects()) {
      const object = { apiVersion, kind, metadata: { name: metadata.name, namespace: metadata.namespace ?? "" } };
      const read = () => this.#objects.read(object).catch(ignoreStatus(404));
      if ((await read())?.metadata?.labels?.[OWNER_LABEL] === undefined) continue; // not created by a run
      await this.#objects.delete(object).catch(ignoreStatus(404, 409));
      while ((await read()) !== undefined) await sleep(POLL_MS);
    }
  }

  async #findPod(): Promise<V1Pod | undefined> {
    const labelSelector = `job-name=${JOB_NAME}`;
    const { items } = await this.#core.listNamespacedPod({ namespace: JOB_NAMESPACE, labelSelector });
    return items[0];
  }
}

/** Returns why a pod does not run yet; undefined once it does. */
function describeWaiting(pod: V1Pod | undefined): string | undefined {
  if (pod === undefined) return "it was not created (admission, quota)";
  const { status } = pod;
  if (status?.phase !== "Pending") return undefined;
  const waiting = status.containerStatuses?.[0]?.state?.waiting;
  const unscheduled = status.conditions?.find(
    (condition) => condition.type === "PodScheduled" && condition.status === "False",
  );
  return waiting?.message ?? waiting?.reason ?? unscheduled?.message ?? "Pending";
}
