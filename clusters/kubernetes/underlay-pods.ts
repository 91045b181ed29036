import { CoreV1Api, CustomObjectsApi, type KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { hasFinished } from "../../plugin/kubernetes/pod-phase.ts";
import { ignoreStatus } from "./status-code.ts";

const addresses = z.object({
  items: z.array(z.object({ spec: z.object({ pod: z.object({ uid: z.string() }) }) })),
});

/** Returns the running pods that have an UnderlayAddress, as `NAMESPACE/NAME`. */
export async function listUnderlayPods(config: KubeConfig): Promise<readonly string[]> {
  const list = await listObjects(config, "underlayaddresses");
  if (list === undefined) return [];
  const uids = new Set(addresses.parse(list).items.map(({ spec }) => spec.pod.uid));
  const { items } = await config.makeApiClient(CoreV1Api).listPodForAllNamespaces();
  return items
    .filter((pod) => uids.has(pod.metadata?.uid ?? "") && !hasFinished(pod.status ?? {}))
    .map(({ metadata }) => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`)
    .sort();
}

/** Whether a NodeState exists: an agent has run on a node, and Interlay's kinds were not deleted. */
export async function hasNodeStates(config: KubeConfig): Promise<boolean> {
  const states = await listObjects(config, "nodestates");
  return states !== undefined && z.object({ items: z.array(z.unknown()) }).parse(states).items.length > 0;
}

/** Returns undefined if the kind does not exist. */
async function listObjects(config: KubeConfig, plural: string): Promise<unknown> {
  const kind = { group: "interlay.dev", version: "v1alpha1", plural };
  const list: unknown = await config
    .makeApiClient(CustomObjectsApi)
    .listClusterCustomObject(kind)
    .catch(ignoreStatus(404));
  return list;
}
