import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Kubectl } from "../kubernetes/kubectl.ts";
import type { Cluster } from "../provider/provider.ts";
import { BRIDGE_CONFLIST, type NodeWithPodCidrs, planBridgeNetworks } from "./plan-bridge.ts";

const TIMEOUT_MS = 60_000;
const nodeList = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ podCIDRs: z.array(z.string()).default([]) }),
    }),
  ),
});

/**
 * Configures a pod network of the plugin `bridge` on every node, after the controller manager has assigned podCIDRs.
 *
 * @throws if a node has no podCIDRs after a minute, or a command fails
 */
export async function installBridgeNetwork(
  kubectl: Kubectl,
  cluster: Pick<Cluster, "nodes" | "exec">,
  overlayCidrs: readonly string[],
): Promise<void> {
  for (const { node, conflist, commands } of planBridgeNetworks(
    await waitForPodCidrs(kubectl, cluster),
    overlayCidrs,
  )) {
    for (const argv of commands) await runOnNode(cluster, node, argv);
    await runOnNode(cluster, node, ["mkdir", "-p", BRIDGE_CONFLIST.slice(0, BRIDGE_CONFLIST.lastIndexOf("/"))]);
    await runOnNode(cluster, node, ["tee", BRIDGE_CONFLIST], conflist);
  }
}

/** Waits until each node has podCIDRs. */
async function waitForPodCidrs(
  kubectl: Kubectl,
  { nodes }: Pick<Cluster, "nodes">,
): Promise<readonly NodeWithPodCidrs[]> {
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const { items } = nodeList.parse(JSON.parse(await kubectl.run(["get", "nodes", "-o", "json"])));
    const podCidrs = new Map(items.map(({ metadata, spec }) => [metadata.name, spec.podCIDRs]));
    const nodesWithCidrs = nodes.map((node) => ({ ...node, podCidrs: podCidrs.get(node.name) ?? [] }));
    const unassigned = nodesWithCidrs.filter((node) => node.podCidrs.length === 0).map(({ name }) => name);
    if (unassigned.length === 0) return nodesWithCidrs;
    if (Date.now() > deadline)
      throw new Error(
        `nodes without podCIDRs after ${TIMEOUT_MS / 1000} s: ${unassigned.join(", ")}; check that the controller manager runs with --allocate-node-cidrs`,
      );
    await sleep(200);
  }
}

async function runOnNode(
  cluster: Pick<Cluster, "exec">,
  node: string,
  argv: readonly string[],
  stdin?: string,
): Promise<void> {
  const { exitCode, stderr } = await cluster.exec(node, argv, stdin === undefined ? {} : { stdin });
  if (exitCode !== 0)
    throw new Error(`\`${argv.join(" ")}\` on node ${node} failed with exit code ${exitCode}: ${stderr.trim()}`);
}
