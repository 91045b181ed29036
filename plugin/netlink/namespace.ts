import { closeSync, openSync } from "node:fs";
import { getLibc } from "./libc.ts";
import { NetlinkError } from "./socket.ts";

const CLONE_NEWNET = 0x40000000;

/**
 * Runs `work` with this thread in the network namespace at `path` (CNI_NETNS: `/var/run/netns/…` or `/proc/PID/ns/net`)
 * and comes back, whatever happens. `work` must be synchronous: what it leaves to the event loop would run elsewhere.
 * Sockets opened inside stay in the namespace; `/proc/sys/net` is that namespace's while inside. setns(2).
 */
export function runInNamespace<T>(path: string, work: () => T): T {
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    const there = openSync(path, "r");
    try {
      enter(there, path);
    } finally {
      closeSync(there);
    }
    try {
      return work();
    } finally {
      enter(home, "the namespace it came from");
    }
  } finally {
    closeSync(home);
  }
}

function enter(fd: number, name: string): void {
  const c = getLibc();
  if (c.setns(fd, CLONE_NEWNET) !== 0) throw new NetlinkError(`setns to ${name}`, c.errno(), undefined);
}
