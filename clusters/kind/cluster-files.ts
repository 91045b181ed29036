import { join } from "node:path";
import { getCacheRoot } from "../components/cache.ts";

/** Files that belong to one cluster: its kubeconfig and kind's configuration. */
export function getClusterDirectory(cluster: string): string {
  return join(getCacheRoot(), "clusters", cluster);
}

export function getKubeconfigPath(cluster: string): string {
  return join(getClusterDirectory(cluster), "kubeconfig");
}
