import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";

export const LOG_FILE = "/var/log/interlay/cni.log";
const MAX_BYTES = 10 * 1024 * 1024;

/** Appends one JSON line per call and keeps one rotated file. Ignores write errors, so that a full disk does not stop a pod. */
export function logCall(entry: Readonly<Record<string, unknown>>, file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) renameSync(file, `${file}.1`);
    appendFileSync(file, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`, { mode: 0o600 });
  } catch {
    // cannot be reported: stdout belongs to the runtime
  }
}
