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
 * Returns what is wrong with the conditions that an environment declares: one sentence a node on which the condition is
 * not False with that reason, or has no message. Pure.
 */
export function checkConditions(
  declared: { readonly type: string; readonly reason: string },
  nodes: readonly string[],
  conditions: readonly NodeCondition[],
): readonly string[] {
  return nodes.flatMap((node) => {
    const found = conditions.find((condition) => condition.node === node && condition.type === declared.type);
    if (found === undefined) return [`${node} has no condition ${declared.type}`];
    if (found.status !== "False" || found.reason !== declared.reason)
      return [`${node}: ${found.type} is ${found.status} (${found.reason}), expected False (${declared.reason})`];
    return found.message === "" ? [`${node}: ${found.type} has no message`] : [];
  });
}
