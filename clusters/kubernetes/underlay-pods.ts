import { CoreV1Api, CustomObjectsApi, type KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { getStatusCode } from "./status-code.ts";

const claims = z.object({
  items: z.array(z.object({ spec: z.object({ pod: z.object({ uid: z.string() }) }) })),
});
const ENDED = new Set(["Succeeded", "Failed"]);

/** Pods that are there and have an underlay address, as `NAMESPACE/NAME`: by what is held of the pools. */
export async function listUnderlayPods(config: KubeConfig): Promise<readonly string[]> {
  const held = await listObjects(config, "underlayaddresses");
  if (held === undefined) return [];
  const uids = new Set(claims.parse(held).items.map(({ spec }) => spec.pod.uid));
  const { items } = await config.makeApiClient(CoreV1Api).listPodForAllNamespaces();
  return items
    .filter(({ metadata, status }) => uids.has(metadata?.uid ?? "") && !ENDED.has(status?.phase ?? ""))
    .map(({ metadata }) => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`)
    .sort();
}

/** Whether an agent has ever told of a node, and the kinds are still there. */
export async function hasNodeStates(config: KubeConfig): Promise<boolean> {
  const states = await listObjects(config, "nodestates");
  return states !== undefined && z.object({ items: z.array(z.unknown()) }).parse(states).items.length > 0;
}

/** Undefined: there is no such kind. */
async function listObjects(config: KubeConfig, plural: string): Promise<unknown> {
  const kind = { group: "interlay.dev", version: "v1alpha1", plural };
  const answer: unknown = await config.makeApiClient(CustomObjectsApi).listClusterCustomObject(kind).catch(missing);
  return answer;
}

/** Undefined for 404; every other error is thrown again. */
export function missing(error: unknown): undefined {
  if (getStatusCode(error) === 404) return undefined;
  throw error;
}
