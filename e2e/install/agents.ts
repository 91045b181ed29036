import { z } from "zod";
import type { Kubectl } from "../../clusters/kubernetes/kubectl.ts";
import type { ClusterApi } from "../support/cluster-api.ts";

export const SYSTEM_NAMESPACE = "interlay-system";
const ROLL_SECONDS = 120;

const daemonSet = z.object({
  spec: z.object({ template: z.object({ spec: z.object({ containers: z.array(z.object({ image: z.string() })) }) }) }),
});

/** What the agents run now. */
export async function readAgentImage(kubectl: Kubectl): Promise<string> {
  const text = await kubectl.run(["-n", SYSTEM_NAMESPACE, "get", "daemonset", "interlay", "-o", "json"]);
  const image = daemonSet.parse(JSON.parse(text)).spec.template.spec.containers[0]?.image;
  if (image === undefined) throw new Error("the DaemonSet interlay has no container");
  return image;
}

/** Until every node has the agent that the DaemonSet asks for, ready. */
export async function waitForRollout(kubectl: Kubectl): Promise<void> {
  await kubectl.waitForRollout("daemonset/interlay", SYSTEM_NAMESPACE, ROLL_SECONDS);
}

/** The pods of a namespace that fit, each by its node, with all that says whether it is the same as before. */
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
