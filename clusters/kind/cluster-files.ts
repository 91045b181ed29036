import { join } from "node:path";
import { getCacheRoot } from "../components/cache.ts";

/** Returns the directory of a cluster's files: its kubeconfig and kind's configuration. */
export function getClusterDirectory(cluster: string): string {
  return join(getCacheRoot(), "clusters", cluster);
}

/** Returns the path of a cluster's kubeconfig. */
export function getKubeconfigPath(cluster: string): string {
  return join(getClusterDirectory(cluster), "kubeconfig");
}
