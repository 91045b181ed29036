import { readdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { readReport, render, RESULTS } from "../results/write.ts";

/** `npm run report`: makes report.html, report.md and junit.xml of runs anew, from their report.json. */
const program = new Command("report")
  .description("make the report of a run anew from its report.json, to be compared with the runs before it")
  .argument("[run...]", "ids in results/runs, or directories", ["latest"])
  .option("--all", "every run in results/runs, oldest first")
  .parse();

try {
  const asked = program.opts<{ all?: true }>().all ? await readdir(join(RESULTS, "runs")) : program.args;
  for (const run of (asked.length === 0 ? ["latest"] : [...asked]).sort()) {
    const place = run === "latest" ? join(RESULTS, run) : run.includes("/") ? run : join(RESULTS, "runs", run);
    const directory = await realpath(place).catch(() => {
      throw new Error(`There is no run ${run}: name a directory in results/runs, or run npm run e2e first.`);
    });
    await render(await readReport(directory), directory);
    process.stdout.write(`${join(directory, "report.html")}\n`);
  }
} catch (error) {
  process.stderr.write(`report: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
