import type { Cluster } from "../clusters/provider.ts";

type Signal = "STOP" | "CONT" | "KILL";

/** The agent's process on a node, held or let go on: what a fault is made for must not be put right at once. */
export function signalAgent(cluster: Cluster, node: string, signal: Signal): Promise<void> {
  return signalProcess(cluster, node, "interlay agent$", signal);
}

/**
 * Signals the processes of a node's own network whose command line fits; throws when there is none. By the network
 * namespace, for a lab's nodes see each other's processes.
 */
export async function signalProcess(cluster: Cluster, node: string, pattern: string, signal: Signal): Promise<void> {
  const own = (await must(cluster, node, ["readlink", "/proc/self/ns/net"])).trim();
  const found = (await must(cluster, node, ["pgrep", "-f", pattern])).split("\n").filter((pid) => pid !== "");
  const its: string[] = [];
  for (const pid of found) {
    const { stdout } = await cluster.exec(node, ["readlink", `/proc/${pid}/ns/net`]);
    if (stdout.trim() === own) its.push(pid);
  }
  if (its.length === 0) throw new Error(`no process like "${pattern}" is in the network of ${node}`);
  await must(cluster, node, ["kill", `-${signal}`, ...its]);
}

/** Runs a program on a node to its end; throws with its words when that is no success. */
export async function must(cluster: Cluster, node: string, argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.exec(node, argv);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} on ${node} ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}
