import type { Cluster } from "../../clusters/provider/provider.ts";
import { runOnNode } from "./agent-process.ts";

const CONTROLLER = "interlay controller$";

/** A process on a node. */
interface NodeProcess {
  readonly node: string;
  readonly pid: string;
}

/**
 * Finds the process of a replica of the controller.
 *
 * @param pod name of the replica's pod, which holds the Lease interlay-leader if it leads
 * @throws an error if no node runs it
 */
export async function findControllerProcess(cluster: Cluster, pod: string): Promise<NodeProcess> {
  for (const { name: node } of cluster.nodes) {
    const { stdout } = await cluster.exec(node, ["pgrep", "-f", CONTROLLER]);
    for (const pid of stdout.split("\n").filter((text) => text !== "")) {
      const { stdout: environment } = await cluster.exec(node, ["cat", `/proc/${pid}/environ`]);
      if (environment.split("\0").includes(`POD_NAME=${pod}`)) return { node, pid };
    }
  }
  throw new Error(`no node runs the controller's pod ${pod}`);
}

/** Stops the process of a replica, or lets it continue. */
export async function signalController(
  cluster: Cluster,
  { node, pid }: NodeProcess,
  signal: "STOP" | "CONT",
): Promise<void> {
  await runOnNode(cluster, node, ["kill", `-${signal}`, pid]);
}
