import { recreateNode } from "../support/recreate-node.ts";
import { deploy } from "../pods/deploy.ts";
import type { ChaosAction } from "./action.ts";

/** Two workers have the connections that must live; the third can be lost. */
const SPARE = 2;
/** calico-node, multus, kube-proxy, interlay. */
const DAEMONS = 4;

/**
 * A worker is deleted and recreated: its pods must be attached like any others, and no stale state may interfere. The
 * matrix's own pods come again with it.
 */
export const dropNode: ChaosAction = {
  name: "a node is deleted and recreated",
  fits: ({ cluster, workers }) => cluster.faults !== undefined && workers.length > SPARE,
  act: async (world) => {
    const { api, cluster, guests } = world;
    const node = world.workers[SPARE] ?? "";
    await world.deployment.closeProbers();
    for (const guest of [...guests.values()].filter((one) => one.node === node)) guests.delete(guest.name);
    const lost = await recreateNode(world, node, DAEMONS);
    world.deployment = await deploy(cluster, api);
    return `${node}, with ${lost} pods`;
  },
};
