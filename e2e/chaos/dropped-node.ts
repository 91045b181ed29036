import { reportsReady } from "../../clusters/kubernetes/ready-condition.ts";
import { answered, statusCode } from "../cluster-api.ts";
import { Eventually } from "../harness.ts";
import { deploy } from "../pods/deploy.ts";
import type { Action } from "./action.ts";

/** Two workers have the connections that must live; the third can be lost. */
const SPARE = 2;
const BACK_MS = 180_000;

/**
 * A worker loses power, its Node object and its pods are deleted as whoever runs the cluster does, and a new machine comes under
 * its name: it must be wired like any other, and nothing of the old one's may be in the way.
 */
export const droppedNode: Action = {
  name: "a node is dropped and made anew",
  fits: ({ cluster, workers }) => cluster.faults !== undefined && workers.length > SPARE,
  act: async (world) => {
    const { api, cluster, guests } = world;
    const node = world.workers[SPARE] ?? "";
    await world.deployment.closeProbers();
    await cluster.faults?.drop(node);
    const fieldSelector = `spec.nodeName=${node}`;
    const podsThere = async () => (await answered(() => api.core.listPodForAllNamespaces({ fieldSelector }))).items;
    await answered(() => api.core.deleteNode({ name: node }));
    const lost = await podsThere();
    await Promise.all(
      lost
        .map(({ metadata }) => ({ name: metadata?.name ?? "", namespace: metadata?.namespace ?? "" }))
        .map(({ name, namespace }) =>
          answered(() => api.core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: 0 })).catch(
            (error: unknown) => {
              if (statusCode(error) !== 404) throw error;
            },
          ),
        ),
    );
    for (const guest of [...guests.values()].filter((one) => one.node === node)) guests.delete(guest.name);
    await cluster.faults?.make(node);
    await Eventually(
      `${node} is Ready, and so are its DaemonSets' pods`,
      async () => {
        const { status } = await api.core.readNode({ name: node });
        const pods = await podsThere();
        return [
          ...(reportsReady(status) ? [] : [`${node} is not Ready`]),
          ...pods.filter((pod) => !reportsReady(pod.status)).map(({ metadata }) => metadata?.name ?? ""),
          ...(pods.length < DAEMONS ? [`only ${pods.length} pods`] : []),
        ];
      },
      (lacking) => lacking.length === 0,
      { timeout: BACK_MS, interval: 500 },
    );
    world.deployment = await deploy(cluster, api);
    return `${node}, with ${lost.length} pods`;
  },
};

/** calico-node, multus, kube-proxy, interlay. */
const DAEMONS = 4;
