import { CoreV1Api, type KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import { getErrorMessage } from "../../plugin/errors/error-message.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import type { SnapshotTarget } from "../../e2e/snapshot/take-snapshot.ts";
import { clusterApi } from "../../e2e/support/cluster-api.ts";
import { execInAgent, listAgents } from "../cluster/run-on-agents.ts";

/** Access to a cluster for a dump. */
interface ClusterAccess {
  readonly target: SnapshotTarget;
  /** How programs run on nodes. */
  readonly by: "node" | "agent" | "api-server";
  /** A sentence for each node where no program runs. */
  readonly unreachable: readonly string[];
}

/** Gives access to all nodes of a cluster that a provider of the suite created. */
export function accessByProvider(cluster: Cluster): ClusterAccess {
  const { nodes } = cluster;
  return {
    target: { api: clusterApi(cluster), nodes, exec: cluster.exec.bind(cluster) },
    by: "node",
    unreachable: [],
  };
}

/** Gives access to any cluster: its API server, and the network of those nodes where an agent of Interlay runs. */
export async function accessByAgents(config: KubeConfig): Promise<ClusterAccess> {
  const core = config.makeApiClient(CoreV1Api);
  const { items } = await core.listNode();
  const nodes = items.map(({ metadata }) => metadata?.name ?? "");
  let agents: ReadonlyMap<string, string> = new Map();
  let reason = "no agent of Interlay runs there";
  try {
    agents = await listAgents(config);
  } catch (error) {
    reason = `the agents of Interlay could not be listed (${getErrorMessage(error).split("\n", 1)[0] ?? ""})`;
  }
  const { reachable, unreachable } = splitNodes(nodes, agents, reason);
  return {
    target: {
      api: { core, objects: KubernetesObjectApi.makeApiClient(config) },
      nodes: reachable.map((name) => ({ name })),
      exec: (node, argv) => execInAgent(config, agents.get(node) ?? "", argv),
    },
    by: reachable.length > 0 ? "agent" : "api-server",
    unreachable,
  };
}

/** Separates the nodes with an agent from those without one. @returns for each of the latter, a sentence with the reason */
export function splitNodes(
  nodes: readonly string[],
  agents: ReadonlyMap<string, string>,
  reason: string,
): { readonly reachable: readonly string[]; readonly unreachable: readonly string[] } {
  return {
    reachable: nodes.filter((node) => agents.has(node)),
    unreachable: nodes.filter((node) => !agents.has(node)).map((node) => `nodes/${node}: ${reason}`),
  };
}
