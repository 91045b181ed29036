import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { assertNoLink, createOwnDirectory } from "./own-files.ts";

export const POD_OPTIONS_DIRECTORY = "pod-options";
export const PENDING_TEARDOWN_DIRECTORY = "pending-teardown";

/** Names of earlier versions -> names now. */
export const RENAMED_DIRECTORIES = { wishes: POD_OPTIONS_DIRECTORY, ended: PENDING_TEARDOWN_DIRECTORY } as const;

/** Moves the files of an earlier version's directories. A file that already exists in the new directory is newer and stays. */
export function renameStateDirectories(stateDirectory: string): void {
  for (const [old, current] of Object.entries(RENAMED_DIRECTORIES)) {
    const from = join(stateDirectory, old);
    const to = join(stateDirectory, current);
    const files = listFiles(from);
    if (files === undefined) continue;
    assertNoLink(from);
    createOwnDirectory(to);
    const existing = new Set(listFiles(to));
    for (const file of files) if (!existing.has(file)) renameSync(join(from, file), join(to, file));
    rmSync(from, { recursive: true });
  }
}

/** Lists the files of a directory; returns undefined if it does not exist. */
function listFiles(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
