import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { runSummarySchema } from "../run-summary.ts";

const DAY_MS = 24 * 3600 * 1000;

/**
 * Deletes the directories of runs in `runs/` that started more than `days` days ago. Directories that are not runs stay.
 *
 * @returns the ids of the deleted runs
 */
export async function pruneRuns(runs: string, days: number, now: number = Date.now()): Promise<readonly string[]> {
  const deleted: string[] = [];
  for (const id of (await readdir(runs).catch(() => [])).sort()) {
    const started = await readStart(join(runs, id));
    if (started === undefined || now - started <= days * DAY_MS) continue;
    await rm(join(runs, id), { recursive: true });
    deleted.push(id);
  }
  return deleted;
}

/** Returns the time at which a run started; undefined if the directory is not a run. */
async function readStart(directory: string): Promise<number | undefined> {
  try {
    const { started } = runSummarySchema.parse(JSON.parse(await readFile(join(directory, "summary.json"), "utf8")));
    return Date.parse(started);
  } catch {
    return undefined;
  }
}
