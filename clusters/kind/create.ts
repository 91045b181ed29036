import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheRoot } from "../components/cache.ts";
import { runOrThrow } from "../components/command.ts";
import type { Engine } from "../engine/engine.ts";
import type { ClusterSpec } from "../provider.ts";
import { networkName } from "./network.ts";

/** Files that belong to one cluster: its kubeconfig and kind's configuration. */
export function clusterDirectory(cluster: string): string {
  return join(cacheRoot(), "clusters", cluster);
}

export function kubeconfigPath(cluster: string): string {
  return join(clusterDirectory(cluster), "kubeconfig");
}

/** `kind create cluster` on the underlay's Docker network. Throws with what kind said; leaves nothing then. */
export async function createCluster(
  engine: Engine,
  kind: string,
  spec: ClusterSpec,
  config: string,
  onLine: (line: string) => void,
): Promise<void> {
  const directory = clusterDirectory(spec.name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, "kind.yaml");
  await writeFile(file, config, { mode: 0o600 });
  await runOrThrow([kind, "create", "cluster", "--config", file, "--kubeconfig", kubeconfigPath(spec.name)], {
    env: { ...engine.env, KIND_EXPERIMENTAL_DOCKER_NETWORK: networkName(spec.name) },
    onLine,
  });
}

export async function deleteCluster(engine: Engine, kind: string, cluster: string): Promise<void> {
  const argv = [kind, "delete", "cluster", "--name", cluster, "--kubeconfig", kubeconfigPath(cluster)];
  await runOrThrow(argv, { env: engine.env });
  await rm(clusterDirectory(cluster), { recursive: true, force: true });
}
