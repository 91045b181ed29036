import Table from "cli-table3";
import { preflightRows } from "../clusters/existing/existing.ts";
import { existingOptions } from "../clusters/existing/options.ts";

/**
 * `npm run e2e -- --provider existing`: what the cluster has, as a table, with a sentence for each problem. Exit status 0
 * if nothing stands against a run.
 */
export async function lookAtExisting(say: (text: string) => void, stop: (sentence: string) => never): Promise<number> {
  const rows = await Promise.resolve()
    .then(() => preflightRows(existingOptions()))
    .catch((error: unknown) => stop(error instanceof Error ? error.message : String(error)));
  const mark = { error: "✗", warning: "!" } as const;
  const table = new Table({ head: ["", "what", "found"], style: { head: [], border: [] } });
  for (const { what, found, problem } of rows) table.push([problem ? mark[problem.severity] : "✓", what, found]);
  say(table.toString());
  const problems = rows.flatMap(({ problem }) => problem ?? []);
  for (const { severity, message } of problems) say(`${severity}: ${message}`);
  say("Nothing was changed: this is the preflight alone; the suite does not run on an existing cluster yet.");
  return problems.some(({ severity }) => severity === "error") ? 2 : 0;
}
