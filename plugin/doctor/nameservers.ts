import { readdirSync, readFileSync, statSync } from "node:fs";

/** Reads the nameservers of pods from the resolv.conf of a process in their network namespace. */
export class NameserverReader {
  #processes: ReadonlyMap<number, string> | undefined;

  /** Reads the nameservers of a pod; undefined if no process in its network namespace has a resolv.conf. */
  read(netns: string): readonly string[] | undefined {
    try {
      this.#processes ??= findProcesses();
      const process = this.#processes.get(statSync(netns).ino);
      return process === undefined
        ? undefined
        : parseNameservers(readFileSync(`${process}/root/etc/resolv.conf`, "utf8"));
    } catch {
      return undefined;
    }
  }
}

function parseNameservers(text: string): readonly string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address = ""]) => address);
}

/** Finds the last process of each network namespace, by the namespace's inode. The first process is the sandbox, without a resolv.conf. */
function findProcesses(): ReadonlyMap<number, string> {
  const processes = new Map<number, string>();
  const pids = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b));
  for (const pid of pids)
    try {
      processes.set(statSync(`/proc/${pid}/ns/net`).ino, `/proc/${pid}`);
    } catch {
      // the process has ended
    }
  return processes;
}
