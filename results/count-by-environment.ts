import { countPredictions, type PredictionCounts } from "./judge-prediction.ts";
import type { CellResult, Report } from "./schema.ts";
import { DEFAULT_ENVIRONMENT_NAME } from "./title.ts";

/** How many cells of an environment passed, were blocked as expected, and were not as expected. */
export interface EnvironmentCounts {
  readonly environment: string;
  readonly cells: number;
  readonly passed: number;
  readonly blocked: number;
  readonly failed: number;
  /** Cells by how their prediction compares with the probe; those without one are not counted. */
  readonly predictions: PredictionCounts;
}

/** Counts the cells of a report by environment, in the order of its variants. */
export function countByEnvironment({ variants }: Pick<Report, "variants">): readonly EnvironmentCounts[] {
  const cells = new Map<string, CellResult[]>();
  for (const { environment = DEFAULT_ENVIRONMENT_NAME, cells: variantCells } of variants)
    cells.set(environment, [...(cells.get(environment) ?? []), ...variantCells]);
  return [...cells].map(([environment, environmentCells]) => ({ environment, ...countCellResults(environmentCells) }));
}

function countCellResults(cells: readonly CellResult[]): Omit<EnvironmentCounts, "environment"> {
  const count = (accept: (cell: CellResult) => boolean) => cells.filter(accept).length;
  return {
    cells: cells.length,
    passed: count(({ ok, expected }) => ok && expected === "pass"),
    blocked: count(({ ok, expected }) => ok && expected === "blocked"),
    failed: count(({ ok }) => !ok),
    predictions: countPredictions(cells),
  };
}
