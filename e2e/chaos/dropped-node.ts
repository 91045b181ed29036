import { recreateNode } from "../support/recreate-node.ts";
import { deployPods } from "../deployment/deploy.ts";
import type { ChaosAction } from "./action.ts";

/** Index of the worker that is deleted: the connections that must survive use the first two. */
const SPARE_WORKER = 2;
/** Number of the node's DaemonSet pods: calico-node, multus, kube-proxy, interlay. */
const DAEMONS = 4;

/**
 * Deletes and recreates a worker: its pods must be attached like any others, and no stale state may interfere. The suite's pods
 * on it are recreated too.
 */
export const dropNode: ChaosAction = {
  name: "a node is deleted and recreated",
  fits: ({ cluster, workers }) => cluster.faults !== undefined && workers.length > SPARE_WORKER,
  act: async (context) => {
    const { api, cluster, testPods } = context;
    const node = context.workers[SPARE_WORKER] ?? "";
    await context.deployment.closeProbers();
    for (const testPod of [...testPods.values()].filter((pod) => pod.node === node)) testPods.delete(testPod.name);
    const podCount = await recreateNode(context, node, DAEMONS);
    context.deployment = await deployPods(cluster, api);
    return `${node}, with ${podCount} pods`;
  },
};
