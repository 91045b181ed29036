import { isIPv6 } from "node:net";
import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { createProgress } from "../../../../clusters/progress/create-progress.ts";
import { loadProvider } from "../../../../clusters/providers.ts";
import { getStatusCode } from "../../../../clusters/kubernetes/status-code.ts";
import { buildProbe } from "../../../../e2e/probe/build-probe.ts";
import { clusterApi } from "../../../../e2e/support/cluster-api.ts";
import { collectCluster, listPodNames } from "../../../../e2e/trace/collect-cluster.ts";
import { mergeSnapshots } from "../../../../plugin/trace/collect/merge-snapshots.ts";
import { parseSnapshot, type TraceSnapshot } from "../../../../plugin/trace/snapshot.ts";
import { runOnAgents } from "../../../cluster/run-on-agents.ts";
import { type ClusterFlags, loadCluster } from "../../program/common-options.ts";

/** A cluster whose state is read for a trace. */
export interface TracedCluster {
  readonly collect: () => Promise<TraceSnapshot>;
  /** Returns the ClusterIP of a Service; undefined if none has that name. @throws if it has no ClusterIP of the family */
  readonly findService: (name: string, family: "ipv4" | "ipv6") => Promise<string | undefined>;
}

/** Connects to the cluster of the options: one of `interlay cluster up`, or that of the kubeconfig, by its agents. */
export async function connectCluster(
  flags: ClusterFlags & { readonly provider?: string; readonly name: string },
): Promise<TracedCluster> {
  if (flags.provider === undefined) {
    const config = await loadCluster(flags);
    return { collect: () => collectByAgents(config), findService: (...query) => findService(config, ...query) };
  }
  const cluster = await (await loadProvider(flags.provider)).find?.(flags.name, await buildProbe(), createProgress());
  if (cluster === undefined) throw new Error(`--provider ${flags.provider} has no clusters of its own: leave it out`);
  const config = await loadCluster({ kubeconfig: cluster.kubeconfig });
  return {
    collect: () => collectCluster(cluster, clusterApi(cluster)),
    findService: (...query) => findService(config, ...query),
  };
}

/** Reads every node by its agent. @throws if a node cannot be read, because paths over it would be wrong */
async function collectByAgents(config: KubeConfig): Promise<TraceSnapshot> {
  const [pods, { answers, failed }] = await Promise.all([
    config.makeApiClient(CoreV1Api).listPodForAllNamespaces(),
    runOnAgents(config, ["trace", "--collect"], parseSnapshot),
  ]);
  const [firstFailure] = failed;
  if (firstFailure !== undefined)
    throw new Error(`cannot read the state of ${firstFailure.node}: ${firstFailure.error}`);
  return mergeSnapshots(answers, listPodNames(pods.items));
}

async function findService(config: KubeConfig, fullName: string, family: "ipv4" | "ipv6"): Promise<string | undefined> {
  const [namespace = "", name = ""] = fullName.split("/");
  const service = await config
    .makeApiClient(CoreV1Api)
    .readNamespacedService({ namespace, name })
    .catch((error: unknown) => {
      if (getStatusCode(error) !== 404) throw error;
      return undefined;
    });
  if (service === undefined) return undefined;
  const address = service.spec?.clusterIPs?.find((candidate) => isIPv6(candidate) === (family === "ipv6"));
  if (address === undefined || address === "None")
    throw new Error(`Service ${fullName} has no ${family} ClusterIP: trace one of its pods`);
  return address;
}
