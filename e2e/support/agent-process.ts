import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../clusters/provider.ts";

const AGENT = "interlay agent$";

type Signal = "STOP" | "CONT" | "KILL";

/** The agent's process on a node, held or let go on: what a fault is made for must not be put right at once. */
export function signalAgent(cluster: Cluster, node: string, signal: Signal): Promise<void> {
  return signalProcess(cluster, node, AGENT, signal);
}

/** Process ids of a node's agents: one, but while it is replaced by another. */
export function listAgentProcesses(cluster: Cluster, node: string): Promise<readonly string[]> {
  return processesOf(cluster, node, AGENT);
}

/**
 * Signals the processes of a node's own network whose command line fits; throws when there is none. By the network
 * namespace, for a lab's nodes see each other's processes.
 */
export async function signalProcess(cluster: Cluster, node: string, pattern: string, signal: Signal): Promise<void> {
  const found = await processesOf(cluster, node, pattern);
  if (found.length === 0) throw new Error(`no process like "${pattern}" is in the network of ${node}`);
  await execOrThrow(cluster, node, ["kill", `-${signal}`, ...found]);
}

/** So often, so many milliseconds apart: an agent at work is in a pod's network for some milliseconds, and not in the node's. */
const LOOKS = { times: 40, apart: 50 } as const;

async function processesOf(cluster: Cluster, node: string, pattern: string): Promise<readonly string[]> {
  const own = (await execOrThrow(cluster, node, ["readlink", "/proc/self/ns/net"])).trim();
  for (let look = 1; ; look++) {
    const its = await lookFor(cluster, node, pattern, own);
    if (its.length > 0 || look === LOOKS.times) return its;
    await sleep(LOOKS.apart);
  }
}

async function lookFor(cluster: Cluster, node: string, pattern: string, own: string): Promise<readonly string[]> {
  const { stdout: pids } = await cluster.exec(node, ["pgrep", "-f", pattern]);
  const found = pids.split("\n").filter((pid) => pid !== "");
  const its: string[] = [];
  for (const pid of found) {
    const { stdout } = await cluster.exec(node, ["readlink", `/proc/${pid}/ns/net`]);
    if (stdout.trim() === own) its.push(pid);
  }
  return its;
}

/** Runs a program on a node to its end; throws with its words when that is no success. */
export async function execOrThrow(
  cluster: Cluster,
  node: string,
  argv: readonly string[],
  options: { readonly stdin?: string } = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.exec(node, argv, options);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} on ${node} ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}
