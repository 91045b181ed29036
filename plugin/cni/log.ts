import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";

export const LOG_FILE = "/var/log/interlay/cni.log";
const MAX_BYTES = 10 * 1024 * 1024;

/** One JSON line a call, rotated once by size. A log that cannot be written stops no pod. */
export function logCall(entry: Readonly<Record<string, unknown>>, file = LOG_FILE): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) renameSync(file, `${file}.1`);
    appendFileSync(file, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`, { mode: 0o600 });
  } catch {
    // nowhere to tell it: stdout is the runtime's
  }
}
