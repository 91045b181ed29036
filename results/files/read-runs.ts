import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ReportSummary, runSummarySchema } from "../run-summary.ts";

/** Number of earlier runs that a report is compared with. */
const EARLIER_RUNS = 20;

/** Reads the summaries of all runs in `runs/`; unreadable ones are skipped. */
export async function readAllRuns(runs: string): Promise<readonly ReportSummary[]> {
  const read = await Promise.all(
    (await readdir(runs).catch(() => [])).sort().map((name) => readSummary(join(runs, name))),
  );
  return read.filter((run) => run !== undefined);
}

/** Reads the summaries of the runs before `id` in `runs/`, newest first. Unreadable ones are skipped: an old run must not fail a new one. */
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
