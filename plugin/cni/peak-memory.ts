import { readFileSync } from "node:fs";

/**
 * Returns this process's peak resident memory in KiB; undefined if the kernel does not report it. getrusage(2) is not used:
 * its maximum survives exec, so it may be the caller's.
 */
export function readPeakMemory(): number | undefined {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes);
  } catch {
    return undefined;
  }
}
