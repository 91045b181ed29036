import type { Cluster } from "../clusters/provider.ts";

/** The agent's process on a node, held or let go on: what a fault is made for must not be put right at once. */
export async function signalAgent(cluster: Cluster, node: string, signal: "STOP" | "CONT" | "KILL"): Promise<void> {
  if (cluster.provider === "lab")
    throw new Error("A lab's nodes see each other's processes, and other labs': run this spec on kind.");
  await must(cluster, node, ["pkill", `-${signal}`, "-f", "interlay agent$"]);
}

/** Runs a program on a node to its end; throws with its words when that is no success. */
export async function must(cluster: Cluster, node: string, argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.exec(node, argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} on ${node} ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}
