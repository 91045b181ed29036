import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { pruneRuns } from "../results/files/prune-runs.ts";
import { RESULTS, writeHistory } from "../results/files/write.ts";
import { getErrorMessage } from "../plugin/errors/error-message.ts";
import { compareNamedRuns, listRuns, renderComparison, renderRuns } from "./report/runs.ts";
import { takeScreenshots } from "./report/screenshots.ts";

/** `npm run report`: the commands of `interlay report` as options. */
const program = new Command("report")
  .description("write the reports of runs again from report.json, compared with the runs before them")
  .argument("[run...]", "ids in results/runs, or directories (default: latest)")
  .option("--all", "every run in results/runs, oldest first")
  .option("--history", "write only the page over all runs in results/runs")
  .option("--prune <days>", "first delete the runs in results/runs that started earlier", parseDays)
  .option("--compare", "compare two runs cell by cell and write nothing; exit status 1 if they differ")
  .option("--screenshots <directory>", "save pictures of the last report, light and dark; needs Debian's chromium")
  .parse();
const flags = program.opts<{
  all?: true;
  history?: true;
  prune?: number;
  compare?: true;
  screenshots?: string;
}>();
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

try {
  if (flags.prune !== undefined)
    for (const id of await pruneRuns(join(RESULTS, "runs"), flags.prune)) print(`deleted ${id}`);
  if (flags.history) print(await writeHistory());
  else if (flags.compare) {
    const [first, second, ...more] = program.args;
    if (first === undefined || second === undefined || more.length > 0)
      throw new Error("--compare needs two runs: npm run report -- --compare RUN OTHER");
    const comparison = await compareNamedRuns(first, second);
    print(renderComparison(comparison));
    process.exitCode = comparison.differences.length === 0 ? 0 : 1;
  } else {
    const requestedRuns = program.args.length === 0 ? ["latest"] : program.args;
    const pages = await renderRuns(flags.all ? await listRuns() : requestedRuns);
    pages.forEach(print);
    const last = pages.at(-1);
    if (flags.screenshots !== undefined && last !== undefined)
      for (const path of await takeScreenshots(last, flags.screenshots)) print(path);
  }
} catch (error) {
  process.stderr.write(`report: ${getErrorMessage(error)}\n`);
  process.exitCode = flags.compare ? 2 : 1;
}

function parseDays(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError("a whole number of days from 1 is needed.");
  return Number(text);
}
