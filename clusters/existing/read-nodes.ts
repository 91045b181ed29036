import { CoreV1Api, type KubeConfig, type V1Node } from "@kubernetes/client-node";
import { reportsReady } from "../kubernetes/ready-condition.ts";
import { defaultIfUnavailable } from "./read-objects.ts";

/** A node of an existing cluster. */
export interface InventoryNode {
  readonly name: string;
  readonly ready: boolean;
  /** False for a cordoned node. */
  readonly schedulable: boolean;
  readonly kubelet: string;
  readonly kernel: string;
  readonly controlPlane: boolean;
  /** InternalIPs in the node's order. */
  readonly addresses: readonly string[];
  /** Like `containerd://1.7.1`; identifies a lab. */
  readonly runtime: string;
  /** Like `kind://docker/CLUSTER/NODE`; empty without a cloud provider. */
  readonly providerId: string;
}

/** Reads the nodes of a cluster. */
export async function readNodes(config: KubeConfig): Promise<readonly InventoryNode[]> {
  const core = config.makeApiClient(CoreV1Api);
  const service = { namespace: "default", name: "kubernetes" };
  const [nodes, endpoints] = await Promise.all([
    defaultIfUnavailable(core.listNode(), { items: [] }),
    defaultIfUnavailable(core.readNamespacedEndpoints(service), undefined),
  ]);
  const apiServers = (endpoints?.subsets ?? []).flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
  return nodes.items.map((node) => toInventoryNode(node, new Set(apiServers)));
}

/** @param apiServers addresses of API servers: their nodes belong to the control plane, with or without a label */
function toInventoryNode({ metadata, spec, status }: V1Node, apiServers: ReadonlySet<string>): InventoryNode {
  const addresses = status?.addresses ?? [];
  const hasLabel = metadata?.labels?.["node-role.kubernetes.io/control-plane"] !== undefined;
  return {
    name: metadata?.name ?? "",
    ready: reportsReady(status),
    schedulable: spec?.unschedulable !== true,
    kubelet: status?.nodeInfo?.kubeletVersion ?? "unknown",
    kernel: status?.nodeInfo?.kernelVersion ?? "",
    controlPlane: hasLabel || addresses.some(({ address }) => apiServers.has(address)),
    addresses: addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => address),
    runtime: status?.nodeInfo?.containerRuntimeVersion ?? "",
    providerId: spec?.providerID ?? "",
  };
}
