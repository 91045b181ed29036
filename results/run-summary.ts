import { median } from "simple-statistics";
import { z } from "zod";
import { type Report, TABLE_ENTRIES, type VariantResult } from "./schema.ts";
import { variantTitle } from "./title.ts";

/** Summary of a variant for later reports; stored next to report.json, because twenty reports are too large to read. */
const variantSummarySchema = z.object({
  title: z.string(),
  table: z.array(z.array(z.enum(TABLE_ENTRIES))),
  cells: z.number().int(),
  failed: z.array(z.string()),
  blocked: z.array(z.string()),
  /** Cells that passed only after several attempts, or with packets sent again. */
  flaky: z.array(z.string()),
  medianMs: z.number(),
});
export type VariantSummary = z.infer<typeof variantSummarySchema>;

export const runSummarySchema = z.object({
  id: z.string(),
  started: z.string(),
  provider: z.string(),
  versions: z.record(z.string(), z.string()),
  /** Families of the cells in their order; empty in old summaries. */
  families: z.array(z.string()).default([]),
  passed: z.number().int(),
  failed: z.number().int(),
  variants: z.array(variantSummarySchema),
});
export type ReportSummary = z.infer<typeof runSummarySchema>;

/** Creates the summary of a report for the history: counts and tables without cells. */
export function createRunSummary({ id, started, provider, versions, summary, variants }: Report): ReportSummary {
  const { passed, failed } = summary;
  const families = [...new Set(variants.flatMap(({ cells }) => cells.map(({ family }) => family)))];
  return { id, started, provider, versions, families, passed, failed, variants: variants.map(summarizeVariant) };
}

function summarizeVariant(variant: VariantResult): VariantSummary {
  const { cells, table } = variant;
  const latencies = cells.filter((cell) => cell.actual === "pass").map(({ latencyMs }) => latencyMs);
  const ids = (accept: (cell: VariantResult["cells"][number]) => boolean) => cells.filter(accept).map(({ id }) => id);
  return {
    title: variantTitle(variant),
    table,
    cells: cells.length,
    failed: ids((cell) => !cell.ok),
    blocked: ids((cell) => cell.ok && cell.expected === "blocked"),
    flaky: ids((cell) => cell.ok && isFlaky(cell)),
    medianMs: latencies.length === 0 ? 0 : median(latencies),
  };
}

/** Reports whether a cell needed a second attempt or lost a packet. */
export function isFlaky({
  attempts,
  resent = 0,
}: Pick<VariantResult["cells"][number], "attempts" | "resent">): boolean {
  return attempts > 1 || resent > 0;
}
