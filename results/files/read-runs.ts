import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ReportSummary, runSummarySchema } from "../run-summary.ts";

/** Number of earlier runs that a report is compared with. */
const EARLIER_RUNS = 20;

/** Reads the summaries of all runs in `runs/`, oldest first. Unreadable ones are skipped. */
export async function readAllRuns(runs: string): Promise<readonly ReportSummary[]> {
  return readSummaries(runs, await listRuns(runs));
}

/** Reads the summaries of the runs before `id` in `runs/`, newest first. Unreadable ones are skipped: an old run must not fail a new one. */
export async function readEarlierRuns(runs: string, id: string): Promise<readonly ReportSummary[]> {
  const earlier = (await listRuns(runs)).filter((name) => name < id);
  return readSummaries(runs, earlier.slice(-EARLIER_RUNS).reverse());
}

async function listRuns(runs: string): Promise<readonly string[]> {
  return (await readdir(runs).catch(() => [])).sort();
}

async function readSummaries(runs: string, names: readonly string[]): Promise<readonly ReportSummary[]> {
  const read = await Promise.all(names.map((name) => readSummary(join(runs, name))));
  return read.filter((run) => run !== undefined);
}

async function readSummary(directory: string): Promise<ReportSummary | undefined> {
  try {
    return runSummarySchema.parse(JSON.parse(await readFile(join(directory, "summary.json"), "utf8")));
  } catch {
    return undefined; // not a run, or unreadable
  }
}
