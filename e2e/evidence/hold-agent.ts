import type { Cluster } from "../../clusters/provider.ts";
import { execOrThrow } from "../support/agent-process.ts";

/**
 * Stops the agent of one node, or lets it go on: it would put right what a spec breaks. By the node's own network namespace,
 * for a lab's nodes see each other's processes. Throws if there is none.
 */
export async function signalAgentOf(cluster: Cluster, node: string, signal: "STOP" | "CONT"): Promise<void> {
  const network = (await execOrThrow(cluster, node, ["readlink", "/proc/self/ns/net"])).trim();
  // Processes that end while they are looked at make both exit with 1.
  const [here, agents] = await Promise.all([
    cluster.exec(node, [
      ...["find", "/proc", "-maxdepth", "3", "-path", "/proc/[0-9]*/ns/net"],
      ...["-lname", network.replaceAll(/[[\]]/g, "\\$&")],
    ]),
    cluster.exec(node, ["pgrep", "-f", "interlay agent$"]),
  ]);
  const inside = new Set([...here.stdout.matchAll(/^\/proc\/(\d+)\//gm)].map(([, pid]) => pid));
  const pids = agents.stdout.split("\n").filter((pid) => inside.has(pid));
  if (pids.length === 0) throw new Error(`No agent runs on ${node}.`);
  await execOrThrow(cluster, node, ["kill", `-${signal}`, ...pids]);
}
