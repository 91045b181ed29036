import { closeSync, openSync } from "node:fs";
import { getLibc } from "../netlink/libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;
const POLL_INTERVAL_MS = 5;
/** Repair holds it for milliseconds; a DEL must not wait for one that hangs. */
const TIMEOUT_MS = 5000;

/**
 * One at a time writes a pod's state: ADD, DEL or the agent's repair. Otherwise a repair that has read the record puts
 * back what a DEL is taking away, and nobody removes it. The lock is flock(2) on the network namespace itself: it goes
 * with the process that holds it, and there is no file to clean up.
 *
 * ADD and DEL wait, and go on after 5 s; a namespace that is gone cannot be locked, and needs not.
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

/** Somebody else writes the pod's state. */
export class PodBusyError extends Error {}

/** As withPodLock, but throws PodBusyError instead of waiting. */
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

/** As withPodLock, but undefined at once where somebody else has it, or the namespace is gone. */
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
