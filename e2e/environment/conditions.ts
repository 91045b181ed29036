import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { readNodeStates } from "../deployment/node-states.ts";
import { retryOnServerError } from "../support/cluster-api.ts";

/** A condition of a node's NodeState. */
export interface NodeCondition {
  readonly node: string;
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** Returns the conditions of every NodeState of the cluster. */
export async function readNodeConditions(cluster: Pick<Cluster, "kubeconfig">): Promise<readonly NodeCondition[]> {
  const config = loadKubeConfig(cluster);
  const states = await retryOnServerError(() => readNodeStates(config));
  return states.flatMap(({ metadata, status }) =>
    (status?.conditions ?? []).map((condition) => ({ node: metadata.name, ...condition })),
  );
}

/**
 * Compares the nodes' conditions with the one that an environment declares. Pure.
 * @returns a sentence for each node whose condition is not False with the declared reason, or has no message
 */
export function checkConditions(
  declared: { readonly type: string; readonly reason: string },
  nodes: readonly string[],
  conditions: readonly NodeCondition[],
): readonly string[] {
  return nodes.flatMap((node) => {
    const nodeCondition = conditions.find((condition) => condition.node === node && condition.type === declared.type);
    if (nodeCondition === undefined) return [`${node} has no condition ${declared.type}`];
    if (nodeCondition.status !== "False" || nodeCondition.reason !== declared.reason)
      return [
        `${node}: ${nodeCondition.type} is ${nodeCondition.status} (${nodeCondition.reason}), expected False (${declared.reason})`,
      ];
    return nodeCondition.message === "" ? [`${node}: ${nodeCondition.type} has no message`] : [];
  });
}
