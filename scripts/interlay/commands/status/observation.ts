import { AppsV1Api, CoreV1Api, type KubeConfig, VersionApi } from "@kubernetes/client-node";
import { z } from "zod";
import { reportsReady } from "../../../../clusters/kubernetes/ready-condition.ts";
import { SYSTEM_NAMESPACE } from "../../../../plugin/kubernetes/objects.ts";
import { publishedCondition, publishedText } from "../../../../plugin/kubernetes/status-schemas.ts";
import { defaultIfUnavailable, getImage } from "../../../../clusters/existing/inventory/read-objects.ts";
import { listServedObjects } from "../../../../clusters/kubernetes/served-objects.ts";
import { ignoreStatus } from "../../../../clusters/kubernetes/status-code.ts";

const NONE = { items: [] };

const nodeStates = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z
        .object({
          version: z.string().optional(),
          returnPath: z.object({ mode: publishedText }).optional(),
          kubeProxy: z.object({ version: publishedText, mode: publishedText }).optional(),
          attachments: z.number().default(0),
          conditions: z.array(publishedCondition).default([]),
        })
        .default({ attachments: 0, conditions: [] }),
    }),
  ),
});
const pools = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ subnet: z.string() }),
      status: z
        .object({ total: z.number().optional(), used: z.number().optional(), free: z.number().optional() })
        .default({}),
    }),
  ),
});

/** State of the rollout of the agents' DaemonSet. */
interface AgentRollout {
  readonly image: string;
  readonly desired: number;
  readonly ready: number;
  readonly updated: number;
  /** Whether the controller has seen the newest specification. */
  readonly observed: boolean;
}

/** State that a node's agent has published. */
export interface NodeStatus {
  readonly version?: string | undefined;
  readonly returnPath: string | null;
  readonly kubeProxy: string | null;
  readonly attachments: number;
  readonly conditions: readonly z.infer<typeof publishedCondition>[];
}

/** State of a cluster that `interlay status` reads. */
export interface InstallationObservation {
  readonly server: string;
  /** Undefined: Interlay is not installed. */
  readonly agents: AgentRollout | undefined;
  /** Replicas of the controller; undefined if its Deployment does not exist. */
  readonly controllers: { readonly desired: number; readonly ready: number } | undefined;
  /** Whether the agent's pod is ready, by node. */
  readonly pods: ReadonlyMap<string, boolean>;
  readonly nodes: ReadonlyMap<string, NodeStatus>;
  readonly pools: readonly { name: string; subnet: string; total?: number; used?: number; free?: number }[];
}

/** Reads the state of Interlay in a cluster. Changes nothing. */
export async function observeInstallation(config: KubeConfig): Promise<InstallationObservation> {
  const [{ gitVersion }, daemonSet, controller, { items: pods }, states, listedPools] = await Promise.all([
    config.makeApiClient(VersionApi).getCode(),
    config
      .makeApiClient(AppsV1Api)
      .readNamespacedDaemonSet({ name: "interlay", namespace: SYSTEM_NAMESPACE })
      .catch(ignoreStatus(404)),
    config
      .makeApiClient(AppsV1Api)
      .readNamespacedDeployment({ name: "interlay-controller", namespace: SYSTEM_NAMESPACE })
      .catch(ignoreStatus(404)),
    config.makeApiClient(CoreV1Api).listNamespacedPod({ namespace: SYSTEM_NAMESPACE, labelSelector: "app=interlay" }),
    defaultIfUnavailable(listServedObjects(config, "nodestates"), undefined),
    defaultIfUnavailable(listServedObjects(config, "underlaypools"), undefined),
  ]);
  const status = daemonSet?.status;
  return {
    server: gitVersion,
    agents:
      daemonSet === undefined
        ? undefined
        : {
            image: getImage(daemonSet) ?? "",
            desired: status?.desiredNumberScheduled ?? 0,
            ready: status?.numberReady ?? 0,
            updated: status?.updatedNumberScheduled ?? 0,
            observed: status?.observedGeneration === daemonSet.metadata?.generation,
          },
    controllers:
      controller === undefined
        ? undefined
        : { desired: controller.spec?.replicas ?? 1, ready: controller.status?.readyReplicas ?? 0 },
    pods: new Map(pods.map((pod) => [pod.spec?.nodeName ?? "", reportsReady(pod.status)])),
    nodes: new Map(
      nodeStates
        .parse(states?.list ?? NONE)
        .items.map(({ metadata, status: nodeStatus }) => [metadata.name, describeNode(nodeStatus)]),
    ),
    pools: pools.parse(listedPools?.list ?? NONE).items.map(({ metadata, spec, status: poolStatus }) => ({
      name: metadata.name,
      subnet: spec.subnet,
      ...withoutUndefined(poolStatus),
    })),
  };
}

function describeNode(status: z.infer<typeof nodeStates>["items"][number]["status"]): NodeStatus {
  const { version, mode } = status.kubeProxy ?? { version: null, mode: null };
  return {
    version: status.version,
    returnPath: status.returnPath?.mode ?? null,
    kubeProxy: version === null ? null : `${version}${mode === null ? "" : ` ${mode}`}`,
    attachments: status.attachments,
    conditions: status.conditions,
  };
}

function withoutUndefined(counts: {
  total?: number | undefined;
  used?: number | undefined;
  free?: number | undefined;
}): {
  total?: number;
  used?: number;
  free?: number;
} {
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined));
}
