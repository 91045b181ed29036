import type { V1Pod } from "@kubernetes/client-node";
import type { Cluster, ExecResult } from "../../clusters/provider/provider.ts";
import { mergeSnapshots, type PodName } from "../../plugin/trace/collect/merge-snapshots.ts";
import { parseSnapshot, type TraceSnapshot } from "../../plugin/trace/snapshot.ts";
import { type ClusterApi, retryOnServerError } from "../support/cluster-api.ts";
import { INSTALLED_EXECUTABLE } from "../support/installed-paths.ts";

/** Name of the external host in snapshots. */
export const EXTERNAL_HOST = "external";

/** Returns the pods that have a network namespace of their own, with all of their addresses. */
export function listPodNames(pods: readonly V1Pod[]): readonly PodName[] {
  return pods
    .filter(({ spec, status }) => spec?.hostNetwork !== true && status?.phase === "Running")
    .map(({ metadata, status }) => ({
      name: `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`,
      addresses: (status?.podIPs ?? []).map(({ ip }) => ip),
    }));
}

/**
 * Reads every node with its pods, and the external host if it has the plugin's executable, at the same time.
 *
 * @throws an error if a node cannot be read
 */
export async function collectCluster(
  cluster: Pick<Cluster, "nodes" | "exec" | "external">,
  api: ClusterApi,
): Promise<TraceSnapshot> {
  const external = await cluster.external();
  const [pods, externalResult, ...nodes] = await Promise.all([
    retryOnServerError(() => api.core.listPodForAllNamespaces()),
    external?.exec(buildCommand(EXTERNAL_HOST)),
    ...cluster.nodes.map(async ({ name }) => parseAnswer(name, await cluster.exec(name, buildCommand(name)))),
  ]);
  const externalSnapshots = externalResult?.exitCode === 0 ? [parseAnswer(EXTERNAL_HOST, externalResult)] : [];
  return mergeSnapshots([...nodes, ...externalSnapshots], listPodNames(pods.items));
}

function buildCommand(node: string): readonly string[] {
  return ["env", `NODE_NAME=${node}`, INSTALLED_EXECUTABLE, "trace", "--collect"];
}

function parseAnswer(node: string, { exitCode, stdout, stderr }: ExecResult): TraceSnapshot {
  if (exitCode !== 0)
    throw new Error(`cannot read the state of ${node}: ${stderr.trim() || `exit status ${exitCode}`}`);
  return parseSnapshot(stdout);
}
