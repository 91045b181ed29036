import { setTimeout as sleep } from "node:timers/promises";
import { CoreV1Api, type KubeConfig, type V1Pod } from "@kubernetes/client-node";
import { execInPod } from "../kubernetes/pod-exec.ts";
import { type ExecResult, OWNER_LABEL } from "../provider.ts";

const CONTAINER = "tools";
const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 200;

/** Pods in the nodes' own network: as much of a node as the API server alone gives. */
export interface NodePods {
  exec(node: string, argv: readonly string[]): Promise<ExecResult>;
}

/**
 * Makes one on each node and waits until it runs; what is there already is used. They may read rules and routes
 * (NET_ADMIN), and enter no other namespace. Returns a sentence instead where the cluster's admission refuses them.
 */
export async function createNodePods(
  config: KubeConfig,
  namespace: string,
  nodes: readonly string[],
  image: string,
): Promise<NodePods | string> {
  const core = config.makeApiClient(CoreV1Api);
  const name = (node: string): string => `tools-${nodes.indexOf(node) + 1}`;
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
  for (const node of nodes)
    try {
      await core
        .createNamespacedPod({ namespace, body: buildNodePod(node, name(node), image) })
        .catch(ignoreStatus(409));
    } catch (error) {
      if (getStatusCode(error) !== 403 && getStatusCode(error) !== 422) throw error;
      return `pods in the nodes' network are not admitted here (${describeApiError(error)})`;
    }
  await waitUntilRunning(core, namespace, nodes.length);
  return {
    exec: (node, argv) => execInPod(config, { namespace, pod: name(node), container: CONTAINER }, argv),
  };
}

function buildNodePod(nodeName: string, name: string, image: string): V1Pod {
  return {
    metadata: { name, labels: { [OWNER_LABEL]: "e2e" } },
    spec: {
      nodeName,
      hostNetwork: true,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      tolerations: [{ operator: "Exists" }],
      containers: [
        {
          name: CONTAINER,
          image,
          imagePullPolicy: "IfNotPresent",
          command: ["sleep", "infinity"],
          securityContext: { capabilities: { add: ["NET_ADMIN"] } },
        },
      ],
    },
  };
}

async function waitUntilRunning(core: CoreV1Api, namespace: string, count: number): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const { items } = await core.listNamespacedPod({ namespace });
    const waiting = items.filter(({ status }) => status?.phase !== "Running");
    if (waiting.length === 0 && items.length >= count) return;
    if (Date.now() > deadline) {
      const [first] = waiting;
      const state = first?.status?.containerStatuses?.[0]?.state?.waiting;
      throw new Error(
        `${waiting.length} pods of ${namespace} do not run, ${first?.metadata?.name ?? "?"} on ${first?.spec?.nodeName ?? "?"}: ${state?.message ?? state?.reason ?? "no word"}; is the image where the node finds it?`,
      );
    }
    await sleep(POLL_MS);
  }
}

/** The HTTP status of an error of the API server. */
export function getStatusCode(error: unknown): number | undefined {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "number"
    ? error.code
    : undefined;
}

/** Takes errors of these statuses for no errors. */
export function ignoreStatus(...codes: readonly number[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(getStatusCode(error) ?? 0)) throw error;
    return undefined;
  };
}

function describeApiError(error: unknown): string {
  const body = typeof error === "object" && error !== null && "body" in error ? String(error.body) : String(error);
  return /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? body.slice(0, 200);
}
