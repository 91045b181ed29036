import { readdir, readFile, readlink } from "node:fs/promises";
import type { Cluster } from "../../../clusters/provider.ts";
import { must } from "../../../e2e/agent-process.ts";

/** They are what is measured. */
const AWAKE: readonly string[] = ["iperf3", "sockperf"];

/**
 * Meanwhile everything else in the lab is stopped, as the data path is the kernel's alone: felix that looks at changed rules
 * on one processor makes what is measured on the other up to a quarter slower, for they share a core's caches.
 */
export async function quietly<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
  const pids = await processesOf(cluster);
  signal(pids, "SIGSTOP");
  try {
    return await work();
  } finally {
    signal(pids, "SIGCONT");
  }
}

/** In the lab's process namespace, which an `exec` is in; their pids are those of this computer. */
async function processesOf(cluster: Cluster): Promise<readonly number[]> {
  const node = cluster.nodes[0]?.name ?? "";
  const lab = (await must(cluster, node, ["readlink", "/proc/self/ns/pid"])).trim();
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const its: number[] = [];
  for (const pid of pids) {
    const namespace = await readlink(`/proc/${pid}/ns/pid`).catch(() => "");
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
    if (namespace === lab && !AWAKE.includes(name.trim())) its.push(pid);
  }
  return its;
}

function signal(pids: readonly number[], name: "SIGSTOP" | "SIGCONT"): void {
  for (const pid of pids)
    try {
      process.kill(pid, name);
    } catch {
      // gone meanwhile
    }
}
