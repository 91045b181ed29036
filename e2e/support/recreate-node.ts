import { reportsReady } from "../../clusters/kubernetes/ready-condition.ts";
import type { Cluster } from "../../clusters/provider.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, type ClusterApi } from "./cluster-api.ts";
import { Eventually } from "../harness.ts";

const BACK_MS = 180_000;

/**
 * A worker loses power, its Node object and its pods are deleted as whoever runs the cluster does, and a new machine comes
 * under its name. Resolves when that is Ready, and so are its DaemonSets' pods; with how many pods were lost.
 * @param daemons how many of these a node has
 */
export async function recreateNode(
  { api, cluster }: { readonly api: ClusterApi; readonly cluster: Cluster },
  node: string,
  daemons: number,
): Promise<number> {
  await cluster.faults?.powerOff(node);
  const fieldSelector = `spec.nodeName=${node}`;
  const podsThere = async () =>
    (await retryOnServerError(() => api.core.listPodForAllNamespaces({ fieldSelector }))).items;
  await retryOnServerError(() => api.core.deleteNode({ name: node }));
  const lost = await podsThere();
  await Promise.all(
    lost
      .map(({ metadata }) => ({ name: metadata?.name ?? "", namespace: metadata?.namespace ?? "" }))
      .map(({ name, namespace }) =>
        retryOnServerError(() => api.core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 })).catch(
          (error: unknown) => {
            if (getStatusCode(error) !== 404) throw error;
          },
        ),
      ),
  );
  await cluster.faults?.recreate(node);
  await Eventually(
    `${node} is Ready, and so are its DaemonSets' pods`,
    async () => {
      const { status } = await api.core.readNode({ name: node });
      const pods = await podsThere();
      return [
        ...(reportsReady(status) ? [] : [`${node} is not Ready`]),
        ...pods.filter((pod) => !reportsReady(pod.status)).map(({ metadata }) => metadata?.name ?? ""),
        ...(pods.length < daemons ? [`only ${pods.length} pods`] : []),
      ];
    },
    (lacking) => lacking.length === 0,
    { timeout: BACK_MS, interval: 500 },
  );
  return lost.length;
}
