import { CustomObjectsApi, type KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { API_GROUP, STORED_VERSION } from "../../plugin/kubernetes/objects.ts";
import { publishedCondition, publishedText } from "../../plugin/kubernetes/status-schemas.ts";

const nodeStates = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z
        .object({
          returnPath: z
            .object({ mode: publishedText, applied: z.boolean(), configResourceVersion: z.string() })
            .optional(),
          gate: z.object({ open: z.boolean() }).optional(),
          conditions: z.array(publishedCondition).default([]),
        })
        .optional(),
    }),
  ),
});

/** Reads the NodeStates of a cluster. A node whose agent has not reported has no status. */
export async function readNodeStates(config: KubeConfig): Promise<z.infer<typeof nodeStates>["items"]> {
  const answer: unknown = await config
    .makeApiClient(CustomObjectsApi)
    .listClusterCustomObject({ group: API_GROUP, version: STORED_VERSION, plural: "nodestates" });
  return nodeStates.parse(answer).items;
}
