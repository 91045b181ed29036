import { z } from "zod";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { ClusterApi } from "../support/cluster-api.ts";
import { SYSTEM_NAMESPACE } from "../../plugin/kubernetes/objects.ts";

const ROLL_SECONDS = 120;

const daemonSet = z.object({
  spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }) }),
});

/** Returns the image of the agents. */
export async function readAgentImage(kubectl: Kubectl): Promise<string> {
  const text = await kubectl.run(["-n", SYSTEM_NAMESPACE, "get", "daemonset", "interlay", "-o", "json"]);
  const image = daemonSet.parse(JSON.parse(text)).spec.template.spec.containers[0]?.image;
  if (image === undefined) throw new Error("the DaemonSet interlay has no container");
  return image;
}

/** Waits until every node has a ready agent of the DaemonSet's current template. */
export async function waitForAgents(kubectl: Kubectl): Promise<void> {
  await kubectl.waitForRollout("daemonset/interlay", SYSTEM_NAMESPACE, ROLL_SECONDS);
}

/** Returns the selected pods of a namespace with their nodes and the fields that identify them. */
export async function listPodIdentities(
  { core }: ClusterApi,
  namespace: string,
  labelSelector: string,
): Promise<readonly string[]> {
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  return items
    .map(({ metadata, spec, status }) => {
      const restarts = (status?.containerStatuses ?? []).map(({ restartCount }) => restartCount).join();
      return `${metadata?.name ?? ""} on ${spec?.nodeName ?? ""}: ${metadata?.uid ?? ""}, restarts ${restarts}`;
    })
    .sort();
}
