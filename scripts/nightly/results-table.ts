import Table from "cli-table3";
import type { Report, VariantResult } from "../../results/schema.ts";
import { countCells } from "../../results/title.ts";
import type { MatrixJob, PlannedJobs } from "./matrix-plan.ts";

const HEAD = ["job", "control plane", "kube-proxy", "mode", "return path", "INVALID rule", "cells"] as const;

export interface JobResult {
  readonly job: MatrixJob;
  /** Undefined if the run ended without a report. */
  readonly report: Report | undefined;
}

/** Returns a row for each variant of each job, for each job of environments, and for each skipped kube-proxy. */
export function listRows(results: readonly JobResult[], skipped: PlannedJobs["skipped"]): readonly string[][] {
  return [
    ...results.flatMap(({ job, report }) =>
      job.variants.length === 0
        ? [[job.name, job.kubernetes, "-", "-", "-", "-", describeSummary(report)]]
        : job.variants.map(({ kubeProxy, returnPath }) => {
            const variant = report?.variants.find(
              (candidate) =>
                candidate.kubeProxy.version === kubeProxy.version &&
                candidate.kubeProxy.mode === kubeProxy.mode &&
                candidate.returnPath === returnPath,
            );
            return [
              job.name,
              job.kubernetes,
              kubeProxy.version,
              kubeProxy.mode,
              returnPath,
              describeRule(variant),
              describeCells(variant),
            ];
          }),
    ),
    ...skipped.map((reason) => ["-", "-", "-", "-", "-", "-", `skipped: ${reason}`]),
  ];
}

/** Renders rows as a table for the terminal. */
export function renderResultsTable(rows: readonly string[][]): string {
  const table = new Table({ head: [...HEAD], style: { head: [], border: [] } });
  table.push(...rows);
  return table.toString();
}

/** Renders rows as a Markdown table. */
export function renderMarkdown(rows: readonly string[][]): string {
  return [[...HEAD], HEAD.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |\n`).join("");
}

function describeRule(variant: VariantResult | undefined): string {
  if (variant?.invalidDropRule === undefined) return "unknown";
  return variant.invalidDropRule ? "in place" : "left out";
}

function describeCells(variant: VariantResult | undefined): string {
  if (variant === undefined) return "FAIL: no result for this variant";
  const { ok, failed, blocked } = countCells(variant);
  if (failed > 0) return `FAIL: ${failed} of ${ok + failed} not as expected`;
  return blocked === 0 ? `all ${ok} pass` : `${ok - blocked} pass, ${blocked} blocked as expected`;
}

function describeSummary(report: Report | undefined): string {
  if (report === undefined) return "FAIL: no report";
  const { passed, failed, skipped } = report.summary;
  return `${failed > 0 ? "FAIL: " : ""}${passed} passed, ${failed} failed, ${skipped} skipped`;
}
