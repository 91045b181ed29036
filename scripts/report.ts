import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { compareRuns } from "../results/compare-runs.ts";
import { readReport, renderReport, RESULTS, writeHistory } from "../results/files/write.ts";
import { takeScreenshots } from "./report/screenshots.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";

/** `npm run report`: writes report.html, report.md and junit.xml of runs again from their report.json. */
const program = new Command("report")
  .description("write the reports of runs again from report.json, compared with the runs before them")
  .argument("[run...]", "ids in results/runs, or directories (default: latest)")
  .option("--all", "every run in results/runs, oldest first")
  .option("--history", "write only the page over all runs in results/runs")
  .option("--compare", "compare two runs cell by cell and write nothing; exit status 1 if they differ")
  .option("--screenshots <directory>", "save pictures of the last report, light and dark; needs Debian's chromium")
  .parse();
const flags = program.opts<{ all?: true; history?: true; compare?: true; screenshots?: string }>();
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

try {
  if (flags.history) print(await writeHistory());
  else if (flags.compare) process.exitCode = await printComparison(program.args);
  else await renderRuns(flags.all ? await listRuns() : program.args);
} catch (error) {
  process.stderr.write(`report: ${getErrorMessage(error)}\n`);
  process.exitCode = flags.compare ? 2 : 1;
}

async function listRuns(): Promise<readonly string[]> {
  const entries = await readdir(join(RESULTS, "runs"), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function renderRuns(runs: readonly string[]): Promise<void> {
  let last: string | undefined;
  for (const run of (runs.length === 0 ? ["latest"] : [...runs]).sort()) {
    const directory = await findRun(run);
    await renderReport(await readReport(directory), directory);
    last = join(directory, "report.html");
    print(last);
  }
  if (flags.screenshots !== undefined && last !== undefined)
    for (const path of await takeScreenshots(last, flags.screenshots)) print(path);
}

/** @returns the exit status */
async function printComparison([first, second, ...more]: readonly string[]): Promise<number> {
  if (first === undefined || second === undefined || more.length > 0)
    throw new Error("--compare needs two runs: npm run report -- --compare RUN OTHER");
  const [one, other] = [await readReport(await findRun(first)), await readReport(await findRun(second))];
  const { variants, cells, differences, notCompared } = compareRuns(one, other);
  for (const line of [...differences, ...notCompared.map((reason) => `not compared: ${reason}`)]) print(line);
  print(
    `${one.provider} and ${other.provider}: ${cells} cells of ${variants} variants, ${differences.length} differences`,
  );
  if (variants === 0) throw new Error("the runs have no variant in common: run both with the same --kube-proxy");
  return differences.length === 0 ? 0 : 1;
}

async function findRun(run: string): Promise<string> {
  const path = run === "latest" ? join(RESULTS, run) : run.includes("/") ? run : join(RESULTS, "runs", run);
  return realpath(path).catch(() => {
    throw new Error(`no run ${run}: name a directory in results/runs, or run npm run e2e first`);
  });
}
