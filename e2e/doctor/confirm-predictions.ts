import type { Cluster } from "../../clusters/provider/provider.ts";
import { hasArrived, judgePrediction } from "../../results/judge-prediction.ts";
import type { CellResult } from "../../results/schema.ts";
import type { Cell } from "../cells/cell.ts";
import type { Variant } from "../cells/gate.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { predictCells, withPredictions } from "./predictions.ts";

/** Cells whose predictions are compared with their results. */
interface PredictedCells {
  readonly cluster: Cluster;
  readonly deployment: Deployment;
  readonly variant: Variant;
  readonly cells: readonly Cell[];
}

/** Number of times that wrong predictions are made and probed again. */
const ROUNDS = 2;

/**
 * Predicts and probes again the cells that were predicted wrongly, because state can change between the snapshot and the probe: kube-proxy
 * writes its rules after pods were recreated, a neighbour is resolved. A prediction that is wrong each time stays wrong.
 *
 * @param results results with predictions
 * @param predictOnce returns new results with new predictions of the cells with the given ids
 */
export async function confirmPredictions(
  results: readonly CellResult[],
  predictOnce: (ids: ReadonlySet<string>) => Promise<readonly CellResult[]>,
): Promise<readonly CellResult[]> {
  let confirmed = results;
  for (let round = 0; round < ROUNDS; round++) {
    const wrongIds = new Set(confirmed.filter(isWrong).map(({ id }) => id));
    if (wrongIds.size === 0) break;
    const secondResults = new Map((await predictOnce(wrongIds)).map((result) => [result.id, result]));
    confirmed = confirmed.map((result) => mergeSecondResult(result, secondResults.get(result.id)));
  }
  return confirmed;
}

/** Returns new results and new predictions of those of the cells that have one of the ids. */
export async function predictAgain(
  { cluster, deployment, variant, cells }: PredictedCells,
  ids: ReadonlySet<string>,
  run: typeof DEFAULT_RUN = DEFAULT_RUN,
): Promise<readonly CellResult[]> {
  const selectedCells = cells.filter(({ id }) => ids.has(id));
  const predictions = await predictCells(cluster, selectedCells, deployment);
  return withPredictions(await runCells(selectedCells, variant, deployment, run), predictions);
}

/**
 * Returns the result with the second prediction if that is right and the second probe had the same result. If the results
 * differ, the cell's state changes by itself, and no prediction of it counts.
 */
function mergeSecondResult(result: CellResult, secondResult: CellResult | undefined): CellResult {
  if (secondResult === undefined || isWrong(secondResult)) return result;
  const { predicted, ...unpredicted } = result;
  const isSameResult = predicted !== undefined && hasArrived(secondResult) === hasArrived(result);
  return isSameResult && secondResult.predicted !== undefined
    ? { ...unpredicted, predicted: secondResult.predicted }
    : unpredicted;
}

function isWrong(result: CellResult): boolean {
  const judgement = judgePrediction(result);
  return judgement === "false-green" || judgement === "false-red";
}
