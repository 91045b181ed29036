import { readFile } from "node:fs/promises";
import { listProcesses, signalProcesses } from "../../../clusters/lab/machines/processes.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { runOnNode } from "../../support/agent-process.ts";

/** Programs that are measured and not stopped. */
const MEASURED: readonly string[] = ["iperf3", "sockperf"];

/**
 * Runs work while all other processes of the lab are stopped; the kernel alone forwards packets. Felix, which checks changed
 * rules on one processor, makes the other one up to a quarter slower, because both share the caches of a core.
 */
export async function pauseOtherProcesses<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
  const pids = await findOtherProcesses(cluster);
  signalProcesses(pids, "SIGSTOP");
  try {
    return await work();
  } finally {
    signalProcesses(pids, "SIGCONT");
  }
}

/** Lists the other processes in the lab's process namespace, by their pids on this machine. */
async function findOtherProcesses(cluster: Cluster): Promise<readonly number[]> {
  const node = cluster.nodes[0]?.name ?? "";
  const lab = (await runOnNode(cluster, node, ["readlink", "/proc/self/ns/pid"])).trim();
  const processes = await Promise.all(
    (await listProcesses("pid", new Set([lab]))).map(async (pid) => ({
      pid,
      name: (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim(),
    })),
  );
  return processes.filter(({ name }) => !MEASURED.includes(name)).map(({ pid }) => pid);
}
