import { closeSync, openSync, writeSync } from "node:fs";
import { findErrnoName } from "./errno.ts";
import { getLibc } from "./libc.ts";
import { NetlinkError } from "./socket.ts";

const STDERR = 2;
const CLONE_NEWNET = 0x40000000;

/**
 * Runs `work` with this thread in the network namespace at `path` (CNI_NETNS: `/var/run/netns/…` or `/proc/PID/ns/net`)
 * and returns to the previous namespace, also after an error; if it cannot return, the process ends. `work` must be synchronous:
 * asynchronous parts of it would run in another namespace.
 * Sockets opened inside stay in the namespace; `/proc/sys/net` is that namespace's while inside. setns(2).
 */
export function runInNamespace<T>(path: string, work: () => T): T {
  const previous = openSync("/proc/thread-self/ns/net", "r");
  try {
    const file = openSync(path, "r");
    try {
      enterNamespace(file, path);
    } finally {
      closeSync(file);
    }
    try {
      return work();
    } finally {
      leaveNamespace(previous);
    }
  } finally {
    closeSync(previous);
  }
}

/** In the wrong namespace, all later work would change a pod's network instead of the node's: the process ends. */
function leaveNamespace(previous: number): void {
  const c = getLibc();
  if (c.setns(previous, CLONE_NEWNET) === 0) return;
  writeSync(STDERR, `setns back to the process's own namespace: ${findErrnoName(c.errno())}; the process ends\n`);
  c.exitNow(1);
}

function enterNamespace(fd: number, name: string): void {
  const c = getLibc();
  if (c.setns(fd, CLONE_NEWNET) !== 0) throw new NetlinkError(`setns to ${name}`, c.errno(), undefined);
}
