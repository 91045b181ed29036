import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { readReport, RESULTS } from "../../results/files/write.ts";
import { listSupportRecords, mergeSupport, parseSupport, renderSupportPage } from "../../results/support.ts";
import { findRun } from "./runs.ts";

const RECORDS = join(RESULTS, "support.json");
/** The page of the recorded results. */
export const SUPPORT_PAGE = join(RESULTS, "..", "docs", "support.md");

/** Returns the content of docs/support.md, in the project's format. */
export async function formatSupportPage(): Promise<string> {
  const records = parseSupport(await readFile(RECORDS, "utf8"));
  return format(renderSupportPage(records), { ...(await resolveConfig(SUPPORT_PAGE)), parser: "markdown" });
}

/** Adds the complete matrices of runs to results/support.json, and writes docs/support.md. @returns the number of matrices */
export async function recordRuns(runs: readonly string[]): Promise<number> {
  const reports = await Promise.all(runs.map(async (run) => readReport(await findRun(run))));
  const newRecords = reports.flatMap(listSupportRecords);
  const records = mergeSupport(parseSupport(await readFile(RECORDS, "utf8")), newRecords);
  await writeFile(RECORDS, `${JSON.stringify(records, undefined, 2)}\n`);
  await writeFile(SUPPORT_PAGE, await formatSupportPage());
  return newRecords.length;
}
