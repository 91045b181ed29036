import { type CellResult, POD_TYPES, type SummaryEntry, TARGETS } from "./schema.ts";

/** Summarizes a variant's cells in the 3×6 table. An entry passes if all its cells have the expected result. */
export function summarizeCells(cells: readonly CellResult[]): SummaryEntry[][] {
  return POD_TYPES.map((source) =>
    TARGETS.map((target) =>
      summarizeEntry(
        cells.filter((cell) => cell.group === "matrix" && cell.source === source && cell.target === target),
      ),
    ),
  );
}

function summarizeEntry(cells: readonly CellResult[]): SummaryEntry {
  if (cells.length === 0) return "not-run";
  if (cells.some((cell) => !cell.ok)) return "fail";
  return cells.some((cell) => cell.expected === "blocked") ? "blocked" : "pass";
}
