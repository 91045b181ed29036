import type { Cluster } from "../../clusters/provider/provider.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, type ClusterApi } from "../support/cluster-api.ts";
import { Eventually } from "../harness.ts";
import { deployPods, type Deployment } from "../deployment/deploy.ts";
import { NAMESPACE, podName, type PodRole } from "../pods/suite-pods.ts";

/** Milliseconds to wait for pods, which may never start with wrong facts. */
const TIMEOUT_MS = 30_000;

/** Pods of the first worker with plan items. */
export const RECREATED_PODS: readonly string[] = (["underlay", "multi-nic"] as const).flatMap((type) =>
  (["a", "b"] satisfies readonly PodRole[]).map((role) => podName(type, 0, role)),
);

/** Recreates the first worker's attached pods, with the node's current facts. */
export async function recreatePods(
  cluster: Cluster,
  api: ClusterApi,
  deployment: Deployment,
  timeoutMs = TIMEOUT_MS,
): Promise<Deployment> {
  await deployment.closeProbers();
  await Promise.all(
    RECREATED_PODS.map(async (name) => {
      const toGone = (error: unknown): "gone" => {
        if (getStatusCode(error) === 404) return "gone";
        throw error;
      };
      await retryOnServerError(() =>
        api.core.deleteNamespacedPod({ namespace: NAMESPACE, name, gracePeriodSeconds: 0 }),
      ).catch(toGone);
      await Eventually(
        `pod ${name} is deleted`,
        () => api.core.readNamespacedPod({ namespace: NAMESPACE, name }).then(() => "there" as const, toGone),
        (state) => state === "gone",
        { timeout: 60_000 },
      );
    }),
  );
  return deployPods(cluster, api, timeoutMs);
}
