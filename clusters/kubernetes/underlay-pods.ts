import { CoreV1Api, type KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { hasFinished } from "../../plugin/kubernetes/pod-phase.ts";
import { listServedObjects } from "./served-objects.ts";

const addresses = z.object({
  items: z.array(z.object({ spec: z.object({ pod: z.object({ uid: z.string() }) }) })),
});

/** Returns the running pods that have an UnderlayAddress, as `NAMESPACE/NAME`. */
export async function listUnderlayPods(config: KubeConfig): Promise<readonly string[]> {
  const objects = await listServedObjects(config, "underlayaddresses");
  if (objects === undefined) return [];
  const uids = new Set(addresses.parse(objects.list).items.map(({ spec }) => spec.pod.uid));
  const { items } = await config.makeApiClient(CoreV1Api).listPodForAllNamespaces();
  return items
    .filter((pod) => uids.has(pod.metadata?.uid ?? "") && !hasFinished(pod.status ?? {}))
    .map(({ metadata }) => `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`)
    .sort();
}

/** Whether a NodeState exists, which means that an agent has run and Interlay's kinds were not deleted. */
export async function hasNodeStates(config: KubeConfig): Promise<boolean> {
  const states = await listServedObjects(config, "nodestates");
  return states !== undefined && z.object({ items: z.array(z.unknown()) }).parse(states.list).items.length > 0;
}
