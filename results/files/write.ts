import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { toHistory } from "../html/history.ts";
import { toHtml } from "../html/html-page.ts";
import { readAllRuns, readEarlierRuns } from "./read-runs.ts";
import { toJunit } from "../junit.ts";
import { toMarkdown } from "../markdown.ts";
import { type Report, reportSchema } from "../schema.ts";
import { createRunSummary } from "../run-summary.ts";

/** Directory of results. */
export const RESULTS: string = dirname(import.meta.dirname);
/** Directory of recorded results, which Git tracks. */
export const RECORDED_RESULTS: string = join(RESULTS, "data");

/** Writes a run in all formats to `results/runs/<id>/` and points `results/latest` to it. @returns the directory */
export async function writeReport(report: Report, root: string = RESULTS): Promise<string> {
  const directory = join(root, "runs", reportSchema.parse(report).id);
  await writeReportFiles(directory, report);
  const latest = join(root, "latest");
  const temporary = `${latest}.${process.pid}.new`;
  await rm(temporary, { force: true });
  await symlink(join("runs", report.id), temporary);
  await rename(temporary, latest);
  return directory;
}

/** Writes a run in all formats to a directory. @throws if the report is invalid; then nothing is written */
export async function writeReportFiles(directory: string, report: Report): Promise<void> {
  const valid = reportSchema.parse(report);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "report.json"), `${JSON.stringify(valid, null, 2)}\n`);
  await renderReport(valid, directory);
}

/** Reads report.json of a run. @throws if it is missing or invalid */
export async function readReport(directory: string): Promise<Report> {
  return reportSchema.parse(JSON.parse(await readFile(join(directory, "report.json"), "utf8")));
}

/** Renders all files next to report.json from it, compared with earlier runs in the same directory. */
export async function renderReport(report: Report, directory: string): Promise<void> {
  const earlier = await readEarlierRuns(dirname(directory), basename(directory));
  await Promise.all([
    writeFile(join(directory, "summary.json"), `${JSON.stringify(createRunSummary(report))}\n`),
    writeFile(join(directory, "junit.xml"), toJunit(report)),
    writeFile(join(directory, "report.md"), toMarkdown(report)),
    writeFile(join(directory, "report.html"), await toHtml(report, earlier)),
  ]);
}

/** Writes the page over all runs in `results/runs/`, with links to their directories. @returns its path */
export async function writeHistory(): Promise<string> {
  const runs = join(RESULTS, "runs");
  const file = join(runs, "index.html");
  await writeFile(file, toHistory(await readAllRuns(runs)));
  return file;
}
