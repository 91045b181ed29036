import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { execInPod } from "../kubernetes/pod-exec.ts";
import { getStatusCode, ignoreStatus } from "../kubernetes/status-code.ts";
import { type PodSettings, toContainerFields, toPodSpecFields } from "../spec/pod-settings.ts";
import { type ExecResult, OWNER_LABEL } from "../provider/provider.ts";
import { createPullSecrets } from "./pull-secrets.ts";

const CONTAINER = "tools";
const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 200;

/** Pods in the nodes' networks, through which the suite reads rules and routes. */
export interface NodePods {
  /** Runs a program in a node's network, with the files of the pod. */
  exec(node: string, argv: readonly string[]): Promise<ExecResult>;
}

interface NodePodTemplate {
  readonly image: string;
  readonly settings: PodSettings;
}

/**
 * Creates a pod on each node, or uses the existing one, and waits until it runs. A pod has the name of its node, so that a
 * run with other nodes never uses it for another. The pods have NET_ADMIN to read rules and routes, and cannot enter other
 * namespaces.
 *
 * @returns the pods; a string is the reason why the cluster's admission rejected them
 */
export async function createNodePods(
  config: KubeConfig,
  namespace: string,
  nodes: readonly string[],
  { image, settings }: NodePodTemplate,
): Promise<NodePods | string> {
  const core = config.makeApiClient(CoreV1Api);
  await core
    .createNamespace({
      body: {
        metadata: {
          name: namespace,
          labels: { [OWNER_LABEL]: "e2e", "pod-security.kubernetes.io/enforce": "privileged" },
        },
      },
    })
    .catch(ignoreStatus(409));
  await createPullSecrets(config, namespace, settings.pullSecrets ?? []);
  for (const node of nodes)
    try {
      await core
        .createNamespacedPod({ namespace, body: buildNodePod(node, { image, settings }) })
        .catch(ignoreStatus(409));
    } catch (error) {
      if (getStatusCode(error) !== 403 && getStatusCode(error) !== 422) throw error;
      return `the cluster rejects pods in the nodes' network (${describeApiError(error)})`;
    }
  await waitUntilRunning(core, namespace, nodes);
  return {
    exec: (node, argv) => execInPod(config, { namespace, pod: node, container: CONTAINER }, argv),
  };
}

function buildNodePod(nodeName: string, { image, settings }: NodePodTemplate): V1Pod {
  return {
    metadata: { name: nodeName, labels: { [OWNER_LABEL]: "e2e" }, annotations: { ...settings.annotations } },
    spec: {
      nodeName,
      hostNetwork: true,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      ...toPodSpecFields(settings),
      containers: [
        {
          name: CONTAINER,
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["sleep", "infinity"],
          securityContext: { capabilities: { add: ["NET_ADMIN"] } },
          ...toContainerFields(settings),
        },
      ],
    },
  };
}

/** Waits for these pods alone: pods of nodes that an earlier run chose may wait for ever. */
async function waitUntilRunning(core: CoreV1Api, namespace: string, names: readonly string[]): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const { items } = await core.listNamespacedPod({ namespace });
    const waiting = listWaiting(items, names);
    if (waiting.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(
        `${waiting.length} pods of namespace ${namespace} do not run: ${waiting.join(", ")}. Can the node pull the image?`,
      );
    await sleep(POLL_MS);
  }
}

/** Returns the pods of these nodes that do not run, each with the reason; other pods do not count. Pure. */
export function listWaiting(pods: readonly V1Pod[], names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const pod = pods.find(({ metadata }) => metadata?.name === name);
    if (pod === undefined) return [`${name} (deleted)`];
    if (pod.status?.phase === "Running") return [];
    const state = pod.status?.containerStatuses?.[0]?.state?.waiting;
    return [`${name} (${state?.message ?? state?.reason ?? "no reason reported"})`];
  });
}

/** Returns the message of an API server's error. */
function describeApiError(error: unknown): string {
  const body = typeof error === "object" && error !== null && "body" in error ? String(error.body) : String(error);
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? body.slice(0, 200);
}
