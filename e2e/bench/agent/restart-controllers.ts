import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import type { KubeClient } from "../../../plugin/kubernetes/kube-client.ts";
import { RESOURCE } from "../../../plugin/kubernetes/objects.ts";
import { runOnNode } from "../../support/agent-process.ts";

const CONTROLLER = "interlay controller$";
const WAIT_MS = { deadline: 600_000, interval: 500 } as const;
const pool = z.object({ status: z.object({ used: z.number() }) });

/**
 * Stops all replicas of the controller. A watch that ends between the objects of one transaction of etcd loses the others: a leader
 * without some Nodes would delete their addresses.
 */
export function pauseControllers(cluster: Cluster): Promise<string> {
  return signalControllers(cluster, "STOP");
}

/**
 * Replaces all replicas of the controller by new processes, and waits until the leader has counted a pool's addresses.
 *
 * @returns milliseconds until then
 * @throws if the leader has not counted them in ten minutes
 */
export async function restartControllers(
  cluster: Cluster,
  kube: KubeClient,
  { name, addresses }: { readonly name: string; readonly addresses: number },
): Promise<number> {
  const started = performance.now();
  await signalControllers(cluster, "KILL");
  await kube.mergePatch(RESOURCE.underlayPools, name, { status: { used: 0 } }, "status");
  for (;;) {
    const { used } = pool.parse(await kube.get(RESOURCE.underlayPools, name)).status;
    if (used === addresses) return performance.now() - started;
    if (performance.now() - started > WAIT_MS.deadline)
      throw new Error(`the leading controller counts ${used} of ${addresses} addresses of pool ${name}`);
    await sleep(WAIT_MS.interval);
  }
}

/** Signals all replicas from one node: the nodes of a lab see each other's processes, but no other lab's. */
function signalControllers(cluster: Cluster, signal: "STOP" | "KILL"): Promise<string> {
  return runOnNode(cluster, cluster.nodes[0]?.name ?? "", ["pkill", "--signal", signal, "--full", CONTROLLER]);
}
