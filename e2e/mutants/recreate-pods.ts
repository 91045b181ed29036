import type { Cluster } from "../../clusters/provider.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, type ClusterApi } from "../support/cluster-api.ts";
import { Eventually } from "../harness.ts";
import { deploy, type Deployment } from "../pods/deploy.ts";
import { NAMESPACE, podName, type Role } from "../pods/pods.ts";

/** Pods whose facts do not let them run are waited for no longer, in milliseconds. */
const PATIENCE_MS = 30_000;

/** The pods of the first worker that Interlay wires. */
export const RECREATED_PODS: readonly string[] = (["underlay", "multi-nic"] as const).flatMap((type) =>
  (["a", "b"] satisfies readonly Role[]).map((role) => podName(type, 0, role)),
);

/** Deletes the first worker's wired pods and makes them anew, by the facts that the node has now. */
export async function recreatePods(
  cluster: Cluster,
  api: ClusterApi,
  before: Deployment,
  patienceMs = PATIENCE_MS,
): Promise<Deployment> {
  await before.closeProbers();
  await Promise.all(
    RECREATED_PODS.map(async (name) => {
      const gone = (error: unknown): "gone" => {
        if (getStatusCode(error) === 404) return "gone";
        throw error;
      };
      await retryOnServerError(() =>
        api.core.deleteNamespacedPod({ namespace: NAMESPACE, name, gracePeriodSeconds: 0 }),
      ).catch(gone);
      await Eventually(
        `pod ${name} is gone`,
        () => api.core.readNamespacedPod({ namespace: NAMESPACE, name }).then(() => "there" as const, gone),
        (is) => is === "gone",
        { timeout: 60_000 },
      );
    }),
  );
  return deploy(cluster, api, patienceMs);
}
