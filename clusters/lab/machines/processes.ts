import { readdir, readlink } from "node:fs/promises";

/** Process ids, as this process numbers them, of all that is in one of the namespaces: `net:[4026531840]`, as `/proc/PID/ns` has it. */
export async function listProcesses(kind: "net" | "pid", namespaces: ReadonlySet<string>): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => ({ pid, namespace: await readlink(`/proc/${pid}/ns/${kind}`).catch(() => "") })),
  );
  return found.filter(({ namespace }) => namespaces.has(namespace)).map(({ pid }) => pid);
}

export function signalProcesses(pids: readonly number[], signal: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
  for (const pid of pids)
    try {
      process.kill(pid, signal);
    } catch {
      // gone meanwhile
    }
}
