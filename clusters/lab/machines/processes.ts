import { readdir, readlink } from "node:fs/promises";

/**
 * Returns the processes in any of the namespaces, as process ids of this process's own namespace.
 *
 * @param namespaces like `net:[4026531840]`, as in `/proc/PID/ns`
 */
export async function listProcesses(kind: "net" | "pid", namespaces: ReadonlySet<string>): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const processes = await Promise.all(
    pids.map(async (pid) => ({ pid, namespace: await readlink(`/proc/${pid}/ns/${kind}`).catch(() => "") })),
  );
  return processes.filter(({ namespace }) => namespaces.has(namespace)).map(({ pid }) => pid);
}

/** Signals processes; those that have ended are ignored. */
export function signalProcesses(pids: readonly number[], signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
  for (const pid of pids)
    try {
      process.kill(pid, signal);
    } catch {
      // the process has ended
    }
}
