import Table from "cli-table3";
import { POD_TYPES, TARGETS, type VariantResult } from "../../results/schema.ts";
import {
  countCells,
  describeNodes,
  getPodTypeTitles,
  getTargetTitles,
  type RunIdentity,
  variantTitle,
} from "../../results/title.ts";

const MARKS = { pass: "✓", blocked: "blocked", fail: "✗ FAIL", "not-run": "-" } as const;

/** Renders a variant's 3×6 table for the terminal: rows are clients, columns are servers. */
export function renderVariantTable(variant: VariantResult, run: RunIdentity): string {
  const [types, targets] = [getPodTypeTitles(run), getTargetTitles(run)];
  const table = new Table({
    head: ["from \\ to", ...TARGETS.map((target) => targets[target])],
    style: { head: [], border: [] },
  });
  POD_TYPES.forEach((type, row) => {
    table.push([types[type], ...(variant.table[row] ?? []).map((entry) => MARKS[entry])]);
  });
  const { ok, failed, blocked } = countCells(variant);
  return [
    variantTitle(variant),
    table.toString(),
    `${ok} of ${ok + failed} cells as expected, ${blocked} of them blocked as expected, in ${variant.seconds.toFixed(1)} s; ${describeNodes(variant)}`,
  ].join("\n");
}
