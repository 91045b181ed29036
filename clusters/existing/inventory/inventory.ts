import { AppsV1Api, type KubeConfig, VersionApi } from "@kubernetes/client-node";
import type { KubeProxyFinding } from "./find-kube-proxy.ts";
import { findMissingPermissions, INSTALL_PERMISSIONS, REQUIRED_PERMISSIONS } from "./permissions.ts";
import { type InventoryInterlay, readInterlay } from "./read-interlay.ts";
import { readKubeProxyFinding } from "./read-kube-proxy.ts";
import { type InventoryNetworks, readNetworks } from "./read-networks.ts";
import { type InventoryNode, readInventoryNodes } from "./read-nodes.ts";
import { defaultIfUnavailable } from "./read-objects.ts";

/** The properties of an existing cluster that the suite reads. Undefined: absent, or not readable. */
export interface ClusterInventory extends InventoryNetworks, InventoryInterlay {
  /** Version of the API server. */
  readonly server: string;
  readonly nodes: readonly InventoryNode[];
  readonly kubeProxy: KubeProxyFinding;
  /** Actions of every run that the caller may not do. */
  readonly denied: readonly string[];
  /** Actions of the installation of Interlay that the caller may not do. */
  readonly deniedInstall: readonly string[];
}

/**
 * Reads a cluster. Changes nothing.
 *
 * @param nodeSelector label selector of the nodes that may get pods
 * @throws if the API server rejects the selector
 */
export async function readInventory(config: KubeConfig, nodeSelector?: string): Promise<ClusterInventory> {
  const apps = config.makeApiClient(AppsV1Api);
  const [version, nodes, { items: daemonSets }] = await Promise.all([
    config.makeApiClient(VersionApi).getCode(),
    readInventoryNodes(config, nodeSelector),
    defaultIfUnavailable(apps.listDaemonSetForAllNamespaces(), { items: [] }),
  ]);
  const [networks, kubeProxy, interlay, denied, deniedInstall] = await Promise.all([
    readNetworks(config, daemonSets),
    readKubeProxyFinding(config, daemonSets, nodes),
    readInterlay(config, daemonSets),
    findMissingPermissions(config, REQUIRED_PERMISSIONS),
    findMissingPermissions(config, INSTALL_PERMISSIONS),
  ]);
  return { server: version.gitVersion, nodes, kubeProxy, ...networks, ...interlay, denied, deniedInstall };
}
