import { recreateNode } from "../support/recreate-node.ts";
import { deployPods } from "../deployment/deploy.ts";
import type { ChaosAction } from "./action.ts";

/** Two workers have the connections that must survive; the third can be lost. */
const SPARE = 2;
/** calico-node, multus, kube-proxy, interlay. */
const DAEMONS = 4;

/**
 * A worker is deleted and recreated: its pods must be attached like any others, and no stale state may interfere. The
 * matrix's pods on it
 * are recreated too.
 */
export const dropNode: ChaosAction = {
  name: "a node is deleted and recreated",
  fits: ({ cluster, workers }) => cluster.faults !== undefined && workers.length > SPARE,
  act: async (context) => {
    const { api, cluster, testPods } = context;
    const node = context.workers[SPARE] ?? "";
    await context.deployment.closeProbers();
    for (const testPod of [...testPods.values()].filter((one) => one.node === node)) testPods.delete(testPod.name);
    const lost = await recreateNode(context, node, DAEMONS);
    context.deployment = await deployPods(cluster, api);
    return `${node}, with ${lost} pods`;
  },
};
