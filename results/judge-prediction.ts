import type { CellResult } from "./schema.ts";

/** How a prediction compares with a probe. */
export type Judgement =
  | "right"
  /** Predicted to pass, and failed. */
  | "false-green"
  /** Predicted to fail, and passed. */
  | "false-red"
  /** The trace could not decide. */
  | "unknown"
  /** Rules choose at random between paths that pass and paths that fail: either result is right. */
  | "random";

/**
 * Compares the prediction of a cell with its probe. A cell whose answer came to the wrong source, or from the wrong pod, has
 * arrived: a trace does not know what the suite expects.
 *
 * @returns undefined for a cell without a prediction
 */
export function judgePrediction(cell: Pick<CellResult, "predicted" | "actual" | "seen">): Judgement | undefined {
  const { predicted } = cell;
  if (predicted === undefined || predicted === "unknown" || predicted === "random") return predicted;
  const arrived = hasArrived(cell);
  if ((predicted === "pass") === arrived) return "right";
  return arrived ? "false-red" : "false-green";
}

/** Reports whether the server answered the cell's client. */
export function hasArrived({ actual, seen }: Pick<CellResult, "actual" | "seen">): boolean {
  return actual === "pass" || seen !== undefined;
}

/** How many cells have a prediction that compares in each way. */
export type PredictionCounts = Readonly<Record<Judgement, number>>;

/** Counts the predictions of cells by how they compare with the probes. Cells without one are not counted. */
export function countPredictions(
  cells: readonly Pick<CellResult, "predicted" | "actual" | "seen">[],
): PredictionCounts {
  const counts = { right: 0, "false-green": 0, "false-red": 0, unknown: 0, random: 0 };
  for (const cell of cells) {
    const judgement = judgePrediction(cell);
    if (judgement !== undefined) counts[judgement] += 1;
  }
  return counts;
}
