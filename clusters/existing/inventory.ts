import { AppsV1Api, CoreV1Api, type KubeConfig, type V1DaemonSet, VersionApi } from "@kubernetes/client-node";
import { z } from "zod";
import { OWNER_LABEL } from "../provider/provider.ts";
import type { KubeProxy } from "../spec/kube-proxy.ts";
import { findKubeProxy } from "./find-kube-proxy.ts";
import { findMissingPermissions, INSTALL_PERMISSIONS, REQUIRED_PERMISSIONS } from "./permissions.ts";
import { type InventoryNetworks, readNetworks } from "./read-networks.ts";
import { type InventoryNode, readNodes } from "./read-nodes.ts";
import { defaultIfUnavailable, findDaemonSet, getImage, listCustomObjects } from "./read-objects.ts";

/** Everything that the suite reads of an existing cluster. Undefined: absent, or not readable. */
export interface ClusterInventory extends InventoryNetworks, InventoryKubeProxy, InventoryInterlay {
  /** Version of the API server. */
  readonly server: string;
  readonly nodes: readonly InventoryNode[];
  /** Actions of every run that the caller may not do. */
  readonly denied: readonly string[];
  /** Actions of the installation of Interlay that the caller may not do. */
  readonly deniedInstall: readonly string[];
}

interface InventoryKubeProxy {
  readonly kubeProxy?: KubeProxy | undefined;
  /** Where kube-proxy was found, or why its behaviour cannot be predicted. */
  readonly kubeProxyNote?: string;
}

interface InventoryInterlay {
  readonly interlay?:
    | {
        readonly image: string;
        readonly returnPath: string;
        /** Whether a run of the suite has installed it, and removes it. */
        readonly ours: boolean;
      }
    | undefined;
  readonly poolRanges: readonly string[];
  readonly heldAddresses: number;
}

const addresses = z.object({ items: z.array(z.unknown()) });
const pools = z.object({ items: z.array(z.object({ spec: z.object({ ranges: z.array(z.string()).default([]) }) })) });

/** Reads a cluster. Changes nothing. */
export async function readInventory(config: KubeConfig): Promise<ClusterInventory> {
  const apps = config.makeApiClient(AppsV1Api);
  const [version, nodes, { items: sets }] = await Promise.all([
    config.makeApiClient(VersionApi).getCode(),
    readNodes(config),
    defaultIfUnavailable(apps.listDaemonSetForAllNamespaces(), { items: [] }),
  ]);
  const [networks, kubeProxy, interlay, denied, deniedInstall] = await Promise.all([
    readNetworks(config, sets),
    readKubeProxy(config, sets, nodes),
    readInterlay(config, sets),
    findMissingPermissions(config, REQUIRED_PERMISSIONS),
    findMissingPermissions(config, INSTALL_PERMISSIONS),
  ]);
  return { server: version.gitVersion, nodes, ...networks, ...kubeProxy, ...interlay, denied, deniedInstall };
}

async function readKubeProxy(
  config: KubeConfig,
  sets: readonly V1DaemonSet[],
  nodes: readonly InventoryNode[],
): Promise<InventoryKubeProxy> {
  const core = config.makeApiClient(CoreV1Api);
  const namespace = "kube-system";
  const [configMap, pods] = await Promise.all([
    defaultIfUnavailable(core.readNamespacedConfigMap({ namespace, name: "kube-proxy" }), undefined),
    defaultIfUnavailable(core.listNamespacedPod({ namespace }), { items: [] }),
  ]);
  const found = findKubeProxy({
    daemonSet: getImage(findDaemonSet(sets, (name) => name === "kube-proxy")),
    pods: pods.items
      .filter(({ metadata }) => metadata?.name?.startsWith("kube-proxy"))
      .flatMap(({ spec }) => spec?.containers[0]?.image ?? []),
    kubelets: nodes.map(({ kubelet }) => kubelet).filter((version) => version !== "unknown"),
    config: configMap?.data?.["config.conf"],
  });
  return found.kubeProxy === undefined
    ? { kubeProxyNote: found.problem }
    : { kubeProxy: found.kubeProxy, kubeProxyNote: found.source };
}

async function readInterlay(config: KubeConfig, sets: readonly V1DaemonSet[]): Promise<InventoryInterlay> {
  const core = config.makeApiClient(CoreV1Api);
  const configMap = { namespace: "interlay-system", name: "interlay-config" };
  const [settings, poolList, addressList] = await Promise.all([
    defaultIfUnavailable(core.readNamespacedConfigMap(configMap), undefined),
    listCustomObjects(config, "interlay.dev", "v1alpha1", "underlaypools"),
    listCustomObjects(config, "interlay.dev", "v1alpha1", "underlayaddresses"),
  ]);
  const set = findDaemonSet(sets, (name) => name === "interlay");
  const image = getImage(set);
  const returnPath = parseReturnPath(settings?.data?.["returnPath"]);
  const ours = set?.metadata?.labels?.[OWNER_LABEL] !== undefined;
  return {
    interlay: image === undefined ? undefined : { image, returnPath, ours },
    poolRanges: pools.parse(poolList).items.flatMap(({ spec }) => spec.ranges),
    heldAddresses: addresses.parse(addressList).items.length,
  };
}

/** Returns the return path whose results a run expects: agents with the setting `auto` choose `notrack` by default. */
function parseReturnPath(setting = "auto"): string {
  return setting === "auto" ? "notrack" : setting;
}
