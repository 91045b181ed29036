import { renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { appendOwnFile, createOwnDirectory } from "../state/own-files.ts";

export const LOG_FILE = "/var/log/interlay/cni.log";
const MAX_BYTES = 10 * 1024 * 1024;

/** Appends a call to the log as one JSON line; keeps one rotated file. Ignores write errors: a full disk must not stop a pod. */
export function logCall(entry: Readonly<Record<string, unknown>>, file: string): void {
  try {
    createOwnDirectory(dirname(file));
    if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > MAX_BYTES) renameSync(file, `${file}.1`);
    appendOwnFile(file, `${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
  } catch {
    // cannot be reported: stdout belongs to the runtime
  }
}
