import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ReportSummary, runSummarySchema } from "./summary.ts";

/** How many earlier runs a report knows of. */
const EARLIER_RUNS = 20;

/** Every run in `runs/` that can be read. */
export async function readAllRuns(runs: string): Promise<readonly ReportSummary[]> {
  const read = await Promise.all(
    (await readdir(runs).catch(() => [])).sort().map((name) => readSummary(join(runs, name))),
  );
  return read.filter((run) => run !== undefined);
}

/** The runs before `id` in `runs/`, newest first. One that cannot be read is left out: an unreadable old run must not fail a new one. */
export async function readEarlierRuns(runs: string, id: string): Promise<readonly ReportSummary[]> {
  const names = (await readdir(runs).catch(() => [])).filter((name) => name < id).sort();
  const read = await Promise.all(
    names
      .slice(-EARLIER_RUNS)
      .reverse()
      .map((name) => readSummary(join(runs, name))),
  );
  return read.filter((run) => run !== undefined);
}

async function readSummary(directory: string): Promise<ReportSummary | undefined> {
  try {
    return runSummarySchema.parse(JSON.parse(await readFile(join(directory, "summary.json"), "utf8")));
  } catch {
    return undefined; // not a run, or unreadable
  }
}
