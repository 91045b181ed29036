import { CoreV1Api, type KubeConfig, type V1Node } from "@kubernetes/client-node";
import { z } from "zod";
import { reportsReady } from "../../kubernetes/ready-condition.ts";
import { getStatusCode } from "../../kubernetes/status-code.ts";
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
  /** Like `linux`. */
  readonly os: string;
  /** Topology zone; empty without one. */
  readonly zone: string;
  /** Whether the label selector of the run selects it; true without a selector. */
  readonly selected: boolean;
  /** Arguments of k3s or RKE2 on the node; empty for other distributions. */
  readonly programArguments: readonly string[];
}

const argumentList = z.array(z.string());

/**
 * Reads the nodes of a cluster.
 *
 * @param selector label selector in kubectl's syntax
 * @throws if the API server rejects the selector
 */
export async function readInventoryNodes(config: KubeConfig, selector?: string): Promise<readonly InventoryNode[]> {
  const core = config.makeApiClient(CoreV1Api);
  const service = { namespace: "default", name: "kubernetes" };
  const [nodes, selected, endpoints] = await Promise.all([
    defaultIfUnavailable(core.listNode(), { items: [] }),
    selector === undefined ? undefined : listSelectedNames(core, selector),
    defaultIfUnavailable(core.readNamespacedEndpoints(service), undefined),
  ]);
  const apiServers = (endpoints?.subsets ?? []).flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
  return nodes.items.map((node) => toInventoryNode(node, new Set(apiServers), selected));
}

/** Returns the names of the selected nodes. The API server parses the selector, so its syntax is that of kubectl. */
async function listSelectedNames(core: CoreV1Api, labelSelector: string): Promise<ReadonlySet<string>> {
  try {
    const { items } = await core.listNode({ labelSelector });
    return new Set(items.map(({ metadata }) => metadata?.name ?? ""));
  } catch (error) {
    if (getStatusCode(error) !== 400) throw error;
    throw new Error(`invalid --node-selector "${labelSelector}": write it as for kubectl get nodes --selector`);
  }
}

/**
 * Converts a Node object.
 *
 * @param apiServers addresses of API servers: their nodes belong to the control plane, with or without a label
 * @param selected names of the selected nodes; undefined: all
 */
function toInventoryNode(
  { metadata, spec, status }: V1Node,
  apiServers: ReadonlySet<string>,
  selected: ReadonlySet<string> | undefined,
): InventoryNode {
  const name = metadata?.name ?? "";
  const annotations = metadata?.annotations ?? {};
  const labels = metadata?.labels ?? {};
  const programArguments = parseJson(annotations["k3s.io/node-args"] ?? annotations["rke2.io/node-args"]);
  const addresses = status?.addresses ?? [];
  const hasLabel = labels["node-role.kubernetes.io/control-plane"] !== undefined;
  return {
    name,
    ready: reportsReady(status),
    schedulable: spec?.unschedulable !== true,
    kubelet: status?.nodeInfo?.kubeletVersion ?? "unknown",
    kernel: status?.nodeInfo?.kernelVersion ?? "",
    controlPlane: hasLabel || addresses.some(({ address }) => apiServers.has(address)),
    addresses: addresses.filter(({ type }) => type === "InternalIP").map(({ address }) => address),
    runtime: status?.nodeInfo?.containerRuntimeVersion ?? "",
    providerId: spec?.providerID ?? "",
    os: labels["kubernetes.io/os"] ?? status?.nodeInfo?.operatingSystem ?? "linux",
    zone: labels["topology.kubernetes.io/zone"] ?? "",
    selected: selected?.has(name) ?? true,
    programArguments: argumentList.safeParse(programArguments).data ?? [],
  };
}

function parseJson(text = "[]"): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return [];
  }
}
