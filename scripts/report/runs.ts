import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { compareRuns } from "../../results/compare-runs.ts";
import { readReport, renderReport, RESULTS } from "../../results/files/write.ts";

/** Lists the ids of all runs in results/runs. */
export async function listRuns(): Promise<readonly string[]> {
  const entries = await readdir(join(RESULTS, "runs"), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Renders the files of runs from their report.json, oldest first. @returns the path of each report.html */
export async function renderRuns(runs: readonly string[]): Promise<readonly string[]> {
  const pages: string[] = [];
  for (const run of runs.toSorted()) {
    const directory = await findRun(run);
    await renderReport(await readReport(directory), directory);
    pages.push(join(directory, "report.html"));
  }
  return pages;
}

/** Comparison of two runs, for people and programs. */
interface NamedComparison {
  readonly providers: readonly [string, string];
  readonly variants: number;
  readonly cells: number;
  readonly differences: readonly string[];
  readonly notCompared: readonly string[];
}

/** Compares two runs cell by cell. @throws an error if they have no variant in common */
export async function compareNamedRuns(first: string, second: string): Promise<NamedComparison> {
  const [firstReport, secondReport] = [await readReport(await findRun(first)), await readReport(await findRun(second))];
  const comparison = compareRuns(firstReport, secondReport);
  if (comparison.variants === 0)
    throw new Error("the runs have no variant in common: run both with the same --kube-proxy");
  return { providers: [firstReport.provider, secondReport.provider], ...comparison };
}

/** Renders a comparison as text: a line for each difference, and the number of cells. */
export function renderComparison({ providers, variants, cells, differences, notCompared }: NamedComparison): string {
  const total = `${cells} cells of ${variants} variants, ${differences.length} differences`;
  return [
    ...differences,
    ...notCompared.map((reason) => `not compared: ${reason}`),
    `${providers.join(" and ")}: ${total}`,
  ].join("\n");
}

/** Finds the directory of a run. @param run id in results/runs, `latest`, or a path */
export async function findRun(run: string): Promise<string> {
  const path = run === "latest" ? join(RESULTS, run) : run.includes("/") ? run : join(RESULTS, "runs", run);
  return realpath(path).catch(() => {
    throw new Error(`no run ${run}: name a directory in results/runs, or run the suite first`);
  });
}
