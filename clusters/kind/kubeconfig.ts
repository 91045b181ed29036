import { join } from "node:path";
import { cacheRoot } from "../components/cache.ts";

/** Files that belong to one cluster: its kubeconfig and kind's configuration. */
export function clusterDirectory(cluster: string): string {
  return join(cacheRoot(), "clusters", cluster);
}

export function kubeconfigPath(cluster: string): string {
  return join(clusterDirectory(cluster), "kubeconfig");
}
