import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { takeScreenshots } from "./report/screenshots.ts";
import { readReport, renderReport, RESULTS, writeHistory } from "../results/write.ts";

/** `npm run report`: makes report.html, report.md and junit.xml of runs anew, from their report.json. */
const program = new Command("report")
  .description("make the report of a run anew from its report.json, to be compared with the runs before it")
  .argument("[run...]", "ids in results/runs, or directories", ["latest"])
  .option("--all", "every run in results/runs, oldest first")
  .option("--history", "the page over all runs in results/runs, and nothing else")
  .option("--screenshots <directory>", "pictures of the last one named, light and dark, by Debian's chromium")
  .parse();

try {
  let last: string | undefined;
  const flags = program.opts<{ all?: true; history?: true; screenshots?: string }>();
  if (flags.history) {
    process.stdout.write(`${await writeHistory()}\n`);
    process.exit(0);
  }
  const entries = flags.all ? await readdir(join(RESULTS, "runs"), { withFileTypes: true }) : [];
  const asked = flags.all ? entries.filter((entry) => entry.isDirectory()).map(({ name }) => name) : program.args;
  for (const run of (asked.length === 0 ? ["latest"] : [...asked]).sort()) {
    const place = run === "latest" ? join(RESULTS, run) : run.includes("/") ? run : join(RESULTS, "runs", run);
    const directory = await realpath(place).catch(() => {
      throw new Error(`There is no run ${run}: name a directory in results/runs, or run npm run e2e first.`);
    });
    await renderReport(await readReport(directory), directory);
    last = join(directory, "report.html");
    process.stdout.write(`${last}\n`);
  }
  if (flags.screenshots !== undefined && last !== undefined)
    for (const path of await takeScreenshots(last, flags.screenshots)) process.stdout.write(`${path}\n`);
} catch (error) {
  process.stderr.write(`report: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
