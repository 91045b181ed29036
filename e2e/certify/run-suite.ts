import { join } from "node:path";
import { startScript, waitForExit } from "../../clusters/shell.ts";
import { readReport, RESULTS } from "../../results/files/write.ts";
import type { RecordedRun } from "./assemble.ts";

/**
 * Runs the suite once as a child process, prints its output and keeps it.
 * @throws if it ended without the result of any cell, with the reason from its report
 */
export async function runSuite(
  argv: readonly string[],
  print: (text: string) => void,
  env: NodeJS.ProcessEnv,
): Promise<RecordedRun> {
  const id = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const child = startScript("scripts/e2e.ts", ["--run-id", id, ...argv], { stdio: ["ignore", "pipe", "pipe"], env });
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      log.push(chunk.toString());
      print(chunk.toString());
    });
  const status = await waitForExit(child);
  const directory = join(RESULTS, "runs", id);
  const report = await readReport(directory).catch(() => undefined);
  if (report === undefined) throw new Error(`the suite ended with ${status} and wrote no results; see above`);
  // Failed cells are results too, but a run without cells cannot be certified.
  if (report.variants.length === 0) {
    const reason = report.checks.find(({ status }) => status === "failed")?.error ?? "see above";
    throw new Error(`the suite ended with ${status} and ran no cell: ${reason}`);
  }
  return { directory, log: log.join("") };
}
