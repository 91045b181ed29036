import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "../../clusters/provider/provider.ts";

const AGENT = "interlay agent$";

type Signal = "STOP" | "CONT" | "KILL";

/** Signals the agent of a node. A stopped agent does not repair a fault that a spec makes. */
export function signalAgent(cluster: Cluster, node: string, signal: Signal): Promise<void> {
  return signalProcess(cluster, node, AGENT, signal);
}

/** Returns the process ids of a node's agents: more than one while the agent is replaced. */
export function listAgentProcesses(cluster: Cluster, node: string): Promise<readonly string[]> {
  return listProcesses(cluster, node, AGENT);
}

/**
 * Signals the processes in a node's network namespace whose command line matches. The nodes of a lab see each other's processes,
 * but have network namespaces of their own.
 * @throws an error if no process matches
 */
export async function signalProcess(cluster: Cluster, node: string, pattern: string, signal: Signal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const pids = await listProcesses(cluster, node, pattern);
    if (pids.length === 0) throw new Error(`no process of ${node} matches "${pattern}"`);
    await runOnNode(cluster, node, ["kill", `-${signal}`, ...pids]);
    if (signal !== "STOP" || (await listProcesses(cluster, node, pattern, 1)).length === pids.length) return;
    // An agent that is stopped in a pod's network namespace would not be found again.
    await runOnNode(cluster, node, ["kill", "-CONT", ...pids]);
    if (attempt === ATTEMPTS.count) throw new Error(`processes ${pids.join(", ")} of ${node} leave their namespace`);
    await sleep(ATTEMPTS.intervalMs);
  }
}

/** Attempts, and milliseconds between them: for some milliseconds a working agent is in a pod's network namespace. */
const ATTEMPTS = { count: 40, intervalMs: 50 } as const;

async function listProcesses(
  cluster: Cluster,
  node: string,
  pattern: string,
  attempts: number = ATTEMPTS.count,
): Promise<readonly string[]> {
  const netns = (await runOnNode(cluster, node, ["readlink", "/proc/self/ns/net"])).trim();
  for (let attempt = 1; ; attempt++) {
    const pids = await findProcesses(cluster, node, pattern, netns);
    if (pids.length > 0 || attempt === attempts) return pids;
    await sleep(ATTEMPTS.intervalMs);
  }
}

async function findProcesses(
  cluster: Cluster,
  node: string,
  pattern: string,
  netns: string,
): Promise<readonly string[]> {
  const { stdout: pids } = await cluster.exec(node, ["pgrep", "-f", pattern]);
  const candidates = pids.split("\n").filter((pid) => pid !== "");
  const inNamespace: string[] = [];
  for (const pid of candidates) {
    const { stdout } = await cluster.exec(node, ["readlink", `/proc/${pid}/ns/net`]);
    if (stdout.trim() === netns) inNamespace.push(pid);
  }
  return inNamespace;
}

/** Runs a program on a node. @returns its stdout @throws an error with its stderr if its exit status is not 0 */
export async function runOnNode(
  cluster: Cluster,
  node: string,
  argv: readonly string[],
  options: { readonly stdin?: string } = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await cluster.exec(node, argv, options);
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} on ${node} ended with ${exitCode}: ${stderr.trim()}`);
  return stdout;
}
