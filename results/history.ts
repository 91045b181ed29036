import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type RunSummary, runSummarySchema } from "./summary.ts";

/** How many earlier runs a report knows of. */
const REMEMBERED = 20;

/** The runs before `id` in `runs/`, newest first. One that cannot be read is left out: an old run is no reason to fail. */
export async function earlierRuns(runs: string, id: string): Promise<readonly RunSummary[]> {
  const names = (await readdir(runs).catch(() => [])).filter((name) => name < id).sort();
  const read = await Promise.all(
    names
      .slice(-REMEMBERED)
      .reverse()
      .map(async (name) => {
        try {
          return runSummarySchema.parse(JSON.parse(await readFile(join(runs, name, "summary.json"), "utf8")));
        } catch {
          return undefined;
        }
      }),
  );
  return read.filter((run) => run !== undefined);
}
