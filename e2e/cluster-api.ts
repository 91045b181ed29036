import { PassThrough } from "node:stream";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, Exec, KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import pRetry from "p-retry";
import type { Cluster, PodAccess, ProgramStream } from "../clusters/provider.ts";
import { execSocket } from "./exec-socket.ts";

/** The API server as the suite uses it. */
export interface ClusterApi {
  readonly core: CoreV1Api;
  readonly objects: KubernetesObjectApi;
  /** Starts a program in a pod's container; its stdin and stdout are lines. */
  attach(namespace: string, pod: string, argv: readonly string[]): Promise<ProgramStream>;
  /** Runs a program in a pod's container to its end. Throws when it ends with an exit code ≠ 0. */
  exec(namespace: string, pod: string, argv: readonly string[]): Promise<string>;
}

/** By the cluster's kubeconfig; into pods by the API server too, unless the cluster has a way of its own. */
export function clusterApi({ kubeconfig, pods }: Pick<Cluster, "kubeconfig" | "pods">): ClusterApi {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return {
    core: config.makeApiClient(CoreV1Api),
    objects: KubernetesObjectApi.makeApiClient(config),
    attach: (namespace, pod, argv) => pods?.attach(namespace, pod, argv) ?? attach(config, namespace, pod, argv),
    exec: (namespace, pod, argv) =>
      pods === undefined ? run(config, namespace, pod, argv) : runInside(pods, namespace, pod, argv),
  };
}

/**
 * Asks again while there is no answer, or one that the server is to blame for: a busy computer lets connections time out, and a
 * server that was killed is back in seconds. For calls that may be made twice.
 */
export function answered<T>(ask: () => Promise<T>): Promise<T> {
  return pRetry(ask, {
    ...{ retries: 8, minTimeout: 250, factor: 1.8, maxTimeout: 5000 },
    shouldRetry: ({ error }) => (statusCode(error) ?? 500) >= 500,
  });
}

/** Makes the object, or leaves the one that is there. True if it was made. */
export async function ensure(api: ClusterApi, object: KubernetesObject): Promise<boolean> {
  try {
    await answered(() => api.objects.create(object));
    return true;
  } catch (error) {
    if (statusCode(error) === 409) return false;
    throw error;
  }
}

export function statusCode(error: unknown): number | undefined {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "number"
    ? error.code
    : undefined;
}

/** Deletes a namespace with everything in it and waits until it is gone. */
export async function removeNamespace(api: ClusterApi, name: string): Promise<void> {
  // 409: it is being deleted already
  const gone = (error: unknown) => {
    if (statusCode(error) !== 404 && statusCode(error) !== 409) throw error;
  };
  await answered(() => api.core.deleteNamespace({ name })).catch(gone);
  for (;;) {
    const there = await answered(() => api.core.readNamespace({ name })).then(() => true, gone);
    if (there !== true) return;
    await sleep(200);
  }
}

const CONTAINER = "probe";

async function attach(
  config: KubeConfig,
  namespace: string,
  pod: string,
  argv: readonly string[],
): Promise<ProgramStream> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const socket = await new Exec(config, execSocket(config)).exec(
    namespace,
    pod,
    CONTAINER,
    [...argv],
    stdout,
    stdout,
    stdin,
    false,
  );
  const lines = createInterface({ input: stdout });
  return {
    write: (line) => {
      stdin.write(`${line}\n`);
    },
    onLine: (listener) => {
      lines.on("line", listener);
    },
    close: () =>
      new Promise((resolve) => {
        socket.onclose = () => {
          resolve();
        };
        // Closing the connection ends the program's stdin, and with it the program.
        if (socket.readyState >= socket.CLOSING) resolve();
        else socket.close();
      }),
  };
}

async function runInside(pods: PodAccess, namespace: string, pod: string, argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await pods.exec(namespace, pod, argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} in ${pod}: ${stderr.trim() || "failed"}`);
  return stdout;
}

function run(config: KubeConfig, namespace: string, pod: string, argv: readonly string[]): Promise<string> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const said = { stdout: "", stderr: "" };
  stdout.on("data", (chunk: Buffer) => (said.stdout += chunk.toString()));
  stderr.on("data", (chunk: Buffer) => (said.stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    new Exec(config, execSocket(config))
      .exec(namespace, pod, CONTAINER, [...argv], stdout, stderr, null, false, ({ status, message }) => {
        if (status === "Success") resolve(said.stdout);
        else reject(new Error(`${argv.join(" ")} in ${pod}: ${said.stderr.trim() || (message ?? "failed")}`));
      })
      .catch((error: unknown) => {
        reject(error instanceof Error ? error : new Error(String(error)));
      });
  });
}
