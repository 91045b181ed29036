import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import pRetry from "p-retry";
import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import { attachInPod, execInPod } from "../../clusters/kubernetes/pod-exec.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import type { Cluster, ProgramStream } from "../../clusters/provider/provider.ts";
import { By, withAbort } from "../harness.ts";

/** The container of the suite's pods. */
const CONTAINER = "probe";

/** Requests of the suite to the API server. */
export interface ClusterApi {
  readonly core: CoreV1Api;
  readonly objects: KubernetesObjectApi;
  /** Starts a program in a pod's container; its stdin and stdout are lines. */
  attach(namespace: string, pod: string, argv: readonly string[]): Promise<ProgramStream>;
  /** Runs a program in a pod's container to its end. @throws an error if its exit status is not 0 */
  exec(namespace: string, pod: string, argv: readonly string[]): Promise<string>;
}

/** Returns the API of a cluster. Programs in pods run by the cluster's own pod access, else by the API server. */
export function clusterApi({ kubeconfig, pods }: Pick<Cluster, "kubeconfig" | "pods">): ClusterApi {
  const config = loadKubeConfig({ kubeconfig });
  const toTarget = (namespace: string, pod: string) => ({ namespace, pod, container: CONTAINER });
  return {
    core: config.makeApiClient(CoreV1Api),
    objects: KubernetesObjectApi.makeApiClient(config),
    attach: (namespace, pod, argv) =>
      pods?.attach(namespace, pod, argv) ?? attachInPod(config, toTarget(namespace, pod), argv),
    exec: async (namespace, pod, argv) => {
      const execution = pods?.exec(namespace, pod, argv) ?? execInPod(config, toTarget(namespace, pod), argv);
      const { exitCode, stdout, stderr } = await withAbort(execution);
      if (exitCode !== 0) throw new Error(`${argv.join(" ")} in ${pod}: ${stderr.trim() || `ended with ${exitCode}`}`);
      return stdout;
    },
  };
}

/**
 * Repeats an idempotent request that times out or fails with a server error (5xx): a busy computer lets connections time out,
 * and a server that was killed restarts in seconds.
 */
export function retryOnServerError<T>(request: () => Promise<T>): Promise<T> {
  return pRetry(request, {
    retries: 8,
    minTimeout: 250,
    factor: 1.8,
    maxTimeout: 5000,
    shouldRetry: ({ error }) => (getStatusCode(error) ?? 500) >= 500,
  });
}

/** Creates an object unless it exists. @returns whether it was created */
export async function ensureObject(api: ClusterApi, object: KubernetesObject): Promise<boolean> {
  try {
    await retryOnServerError(() => api.objects.create(object));
    return true;
  } catch (error) {
    if (getStatusCode(error) === 409) return false;
    throw error;
  }
}

/**
 * Deletes a namespace with everything in it and waits until it no longer exists.
 * @throws at the timeout of the spec, hook or cleanup that calls it; the error names the namespace
 */
export async function removeNamespace(api: ClusterApi, name: string): Promise<void> {
  await By(`remove the namespace ${name}`, () => deleteAndWait(api, name));
}

async function deleteAndWait(api: ClusterApi, name: string): Promise<void> {
  // 409: it is being deleted already
  const ignoreMissing = (error: unknown) => {
    if (getStatusCode(error) !== 404 && getStatusCode(error) !== 409) throw error;
  };
  await retryOnServerError(() => api.core.deleteNamespace({ name })).catch(ignoreMissing);
  for (;;) {
    const exists = await retryOnServerError(() => api.core.readNamespace({ name })).then(() => true, ignoreMissing);
    if (exists !== true) return;
    await withAbort(sleep(200));
  }
}
