import { reportsReady } from "../../clusters/kubernetes/ready-condition.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { getStatusCode } from "../../clusters/kubernetes/status-code.ts";
import { retryOnServerError, type ClusterApi } from "./cluster-api.ts";
import { Eventually } from "../harness.ts";

const READY_TIMEOUT_MS = 180_000;

/**
 * Powers a worker off, deletes its Node object and its pods as an operator would, and creates a new machine with its name. Waits
 * until the node and its DaemonSets' pods are Ready.
 * @param daemons number of DaemonSet pods of a node
 * @returns the number of pods that were lost
 */
export async function recreateNode(
  { api, cluster }: { readonly api: ClusterApi; readonly cluster: Cluster },
  node: string,
  daemons: number,
): Promise<number> {
  await cluster.faults?.powerOff(node);
  const fieldSelector = `spec.nodeName=${node}`;
  const listPods = async () =>
    (await retryOnServerError(() => api.core.listPodForAllNamespaces({ fieldSelector }))).items;
  await retryOnServerError(() => api.core.deleteNode({ name: node }));
  const lostPods = await listPods();
  await Promise.all(
    lostPods
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
      const pods = await listPods();
      return [
        ...(reportsReady(status) ? [] : [`${node} is not Ready`]),
        ...pods.filter((pod) => !reportsReady(pod.status)).map(({ metadata }) => metadata?.name ?? ""),
        ...(pods.length < daemons ? [`only ${pods.length} pods`] : []),
      ];
    },
    (problems) => problems.length === 0,
    { timeout: READY_TIMEOUT_MS, interval: 500 },
  );
  return lostPods.length;
}
