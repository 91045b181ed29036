import { readFile } from "node:fs/promises";
import { listProcesses, signalProcesses } from "../../../clusters/lab/machines/processes.ts";
import type { Cluster } from "../../../clusters/provider.ts";
import { execOrThrow } from "../../support/agent-process.ts";

/** They are what is measured. */
const AWAKE: readonly string[] = ["iperf3", "sockperf"];

/**
 * Meanwhile everything else in the lab is stopped, as the data path is the kernel's alone: felix that looks at changed rules
 * on one processor makes what is measured on the other up to a quarter slower, for they share a core's caches.
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

/** In the lab's process namespace, which an `exec` is in; their pids are those of this computer. */
async function findOtherProcesses(cluster: Cluster): Promise<readonly number[]> {
  const node = cluster.nodes[0]?.name ?? "";
  const lab = (await execOrThrow(cluster, node, ["readlink", "/proc/self/ns/pid"])).trim();
  const found = await Promise.all(
    (await listProcesses("pid", new Set([lab]))).map(async (pid) => ({
      pid,
      name: (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim(),
    })),
  );
  return found.filter(({ name }) => !AWAKE.includes(name)).map(({ pid }) => pid);
}
