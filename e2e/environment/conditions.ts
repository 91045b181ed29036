import { CustomObjectsApi } from "@kubernetes/client-node";
import { z } from "zod";
import { loadKubeConfig } from "../../clusters/kubernetes/load-kube-config.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { retryOnServerError } from "../support/cluster-api.ts";

const nodeStates = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z
        .object({
          conditions: z
            .array(
              z.object({
                type: z.string(),
                status: z.string(),
                reason: z.string().default(""),
                message: z.string().default(""),
              }),
            )
            .default([]),
        })
        .optional(),
    }),
  ),
});

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
  const api = config.makeApiClient(CustomObjectsApi);
  const answer: unknown = await retryOnServerError(() =>
    api.listClusterCustomObject({ group: "interlay.dev", version: "v1alpha1", plural: "nodestates" }),
  );
  return nodeStates
    .parse(answer)
    .items.flatMap(({ metadata, status }) =>
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
