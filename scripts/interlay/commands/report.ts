import { Command } from "commander";
import { readReport, writeHistory } from "../../../results/files/write.ts";
import { renderVariantTable } from "../../e2e/variant-table.ts";
import { compareNamedRuns, findRun, listRuns, renderComparison, renderRuns } from "../../report/runs.ts";
import { takeScreenshots } from "../../report/screenshots.ts";
import { serveRuns } from "../../report/serve.ts";
import { addGlobalOptions, addInheritedOptions, type OutputFormat } from "../program/common-options.ts";
import { parsePort } from "../program/parse-port.ts";
import { printOutput } from "../program/output.ts";

interface PrintFlags {
  readonly output: OutputFormat;
}

/** `interlay report show | render | history | compare | serve`: the results of runs. */
export function createReportCommand(): Command {
  const group = addInheritedOptions(new Command("report"));
  const show = group
    .command("show")
    .description("print the tables of a run")
    .argument("[run]", "id in results/runs, or a directory", "latest");
  addGlobalOptions(show, ["output"]).action(showRun);
  const render = group
    .command("render")
    .description("write report.html, report.md and junit.xml of runs again from report.json")
    .argument("[run...]", "ids in results/runs, or directories (default: latest)")
    .option("--all", "every run in results/runs, oldest first")
    .option("--screenshots <directory>", "save pictures of the last report, light and dark; needs Debian's chromium");
  addGlobalOptions(render, ["output"]).action(renderPages);
  addGlobalOptions(group.command("history").description("write one page over all runs in results/runs"), [
    "output",
  ]).action(async ({ output }: PrintFlags) => {
    const file = await writeHistory();
    printOutput(output, { file }, () => file);
  });
  const compare = group
    .command("compare")
    .description("compare two runs cell by cell; exit status 1 if they differ")
    .argument("<run>", "id in results/runs, or a directory")
    .argument("<other>");
  addGlobalOptions(compare, ["output"]).action(async (run: string, other: string, { output }: PrintFlags) => {
    const comparison = await compareNamedRuns(run, other);
    printOutput(output, comparison, () => renderComparison(comparison));
    if (comparison.differences.length > 0) process.exitCode = 1;
  });
  group
    .command("record")
    .description("add runs of the complete matrix to results/support.json, and write docs/support.md from it")
    .argument("<run...>", "ids in results/runs, or directories")
    .action(async (runs: readonly string[]) => {
      const { recordRuns } = await import("../../report/support-page.ts");
      const count = await recordRuns(runs);
      process.stdout.write(`${count} variants recorded\n`);
      if (count === 0)
        throw new Error("no run probed the complete matrix: run it without --cells, with provider lab or kind");
    });
  group
    .command("serve")
    .description("serve the reports of all runs on this computer, until it is interrupted")
    .option("--port <number>", "TCP port on 127.0.0.1; 0: any free one", parsePort, 8080)
    .action(async ({ port }: { port: number }) => {
      await writeHistory();
      await serveRuns(port, (url) => process.stdout.write(`${url}\n`));
    });
  return group;
}

async function showRun(run: string, { output }: PrintFlags): Promise<void> {
  const directory = await findRun(run);
  const report = await readReport(directory);
  printOutput(output, report, () => {
    const { passed, failed, skipped } = report.summary;
    return [
      ...report.variants.map((variant) => renderVariantTable(variant, report)),
      `${directory}: ${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
    ].join("\n\n");
  });
}

async function renderPages(
  runs: readonly string[],
  { all, screenshots, output }: PrintFlags & { readonly all?: true; readonly screenshots?: string },
): Promise<void> {
  const pages = await renderRuns(all ? await listRuns() : runs.length === 0 ? ["latest"] : runs);
  const last = pages.at(-1);
  const pictures = screenshots === undefined || last === undefined ? [] : await takeScreenshots(last, screenshots);
  printOutput(output, { pages, pictures }, () => [...pages, ...pictures].join("\n"));
}
