import { closeSync, openSync } from "node:fs";
import { getLibc } from "../netlink/libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;
const POLL_INTERVAL_MS = 5;
/** Longest wait for the lock: repair holds it for milliseconds, and a DEL must not wait for a repair that hangs. */
const TIMEOUT_MS = 5000;

/**
 * Serialises changes to a pod's state by ADD, DEL and the agent's repair. Otherwise a repair that has read the record could
 * restore what a concurrent DEL removes, and nothing would remove it again. The lock is flock(2) on the network namespace itself: it is released
 * with the process that holds it, and leaves no file to clean up.
 *
 * ADD and DEL wait, and continue without the lock after 5 s. A namespace that does not exist needs no lock.
 */
export function withPodLock<T>(netns: string, work: () => T): T {
  const fd = tryOpen(netns);
  if (fd === undefined) return work();
  try {
    const deadline = performance.now() + TIMEOUT_MS;
    while (!tryLock(fd) && performance.now() < deadline)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_INTERVAL_MS);
    return work();
  } finally {
    closeSync(fd);
  }
}

/** Thrown if another call holds the pod's lock. */
export class PodBusyError extends Error {}

/** Like withPodLock, but throws PodBusyError instead of waiting. */
export function withFreePodLock<T>(netns: string, work: () => T): T {
  const fd = tryOpen(netns);
  if (fd === undefined) return work();
  try {
    if (!tryLock(fd)) throw new PodBusyError(`${netns} is locked`);
    return work();
  } finally {
    closeSync(fd);
  }
}

/** Like withPodLock, but returns undefined immediately if the lock is held or the namespace does not exist. */
export function tryPodLock<T>(netns: string, work: () => T): T | undefined {
  const fd = tryOpen(netns);
  if (fd === undefined) return undefined;
  try {
    return tryLock(fd) ? work() : undefined;
  } finally {
    closeSync(fd);
  }
}

function tryLock(fd: number): boolean {
  return getLibc().flock(fd, LOCK_EX | LOCK_NB) === 0;
}

function tryOpen(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch {
    return undefined;
  }
}
