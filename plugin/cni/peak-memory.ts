import { readFileSync } from "node:fs";

/**
 * The most memory this process has had resident, in KiB; undefined if the kernel does not say. Not getrusage(2): what
 * that calls the maximum outlives exec, and is the caller's if the caller was bigger.
 */
export function readPeakMemory(): number | undefined {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return kibibytes === undefined ? undefined : Number(kibibytes);
  } catch {
    return undefined;
  }
}
