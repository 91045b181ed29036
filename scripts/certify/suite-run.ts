import { spawn } from "node:child_process";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { RESULTS } from "../../results/write.ts";
import type { RecordedRun } from "./assemble.ts";

/** Runs the suite once as a user would, its output passed on and kept. Throws if it ended without results. */
export async function runSuite(argv: readonly string[], say: (text: string) => void): Promise<RecordedRun> {
  const id = new Date().toISOString().replaceAll(/[:.]/g, "-");
  const script = join(import.meta.dirname, "..", "e2e.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, "--run-id", id, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      log.push(text);
      say(text);
    });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject).once("close", resolve);
    });
    const directory = join(RESULTS, "runs", id);
    const wrote = await access(join(directory, "report.json")).then(
      () => true,
      () => false,
    );
    // Failed cells are a result too; without a report nothing ran to its end.
    if (!wrote) throw new Error(`The suite ended with ${String(code)} and no results; see above.`);
    return { directory, log: log.join("") };
  } finally {
    process.off("SIGINT", forward).off("SIGTERM", forward);
  }
}
