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

/** Pods in the network namespaces of nodes, in which the suite reads rules and routes. */
export interface NodePods {
  /** Runs a program in a node's network namespace. It has the files of the pod, not those of the node. */
  exec(node: string, argv: readonly string[]): Promise<ExecResult>;
}

interface NodePodTemplate {
  readonly image: string;
  readonly settings: PodSettings;
}

/**
 * Creates a pod on each node, or uses the existing one, and waits until it runs. Each pod has the name of its node: a later run
 * that selects other nodes cannot take it for a pod of another node. The pods have NET_ADMIN to read rules and routes, and cannot
 * enter other namespaces.
 *
 * @returns the pods; or the reason, as a string, why the cluster's admission rejects them
 * @throws if a pod does not run in time
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

/** Waits for the pods with these names. Other pods do not count: an earlier run may have left some that never start. */
async function waitUntilRunning(core: CoreV1Api, namespace: string, names: readonly string[]): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const { items } = await core.listNamespacedPod({ namespace });
    const notRunning = listNotRunning(items, names);
    if (notRunning.length === 0) return;
    if (Date.now() > deadline)
      throw new Error(
        `${notRunning.length} pods of namespace ${namespace} do not run after ${READY_TIMEOUT_MS / 1000} s: ${notRunning.join(", ")}. Check that their nodes can pull the image.`,
      );
    await sleep(POLL_MS);
  }
}

/** Describes each of the named pods that does not run: `w1 (ImagePullBackOff)`. Pure. */
export function listNotRunning(pods: readonly V1Pod[], names: readonly string[]): readonly string[] {
  return names.flatMap((name) => {
    const pod = pods.find(({ metadata }) => metadata?.name === name);
    if (pod === undefined) return [`${name} (deleted)`];
    if (pod.status?.phase === "Running") return [];
    const state = pod.status?.containerStatuses?.[0]?.state?.waiting;
    return [`${name} (${state?.message ?? state?.reason ?? "no reason reported"})`];
  });
}

/** Returns the message in the body of an API server's error. */
function describeApiError(error: unknown): string {
  const body = typeof error === "object" && error !== null && "body" in error ? String(error.body) : String(error);
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? body.slice(0, 200);
}
