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
 * @param again returns new results with new predictions of the cells with the given ids
 */
export async function confirmPredictions(
  results: readonly CellResult[],
  again: (ids: ReadonlySet<string>) => Promise<readonly CellResult[]>,
): Promise<readonly CellResult[]> {
  let confirmed = results;
  for (let round = 0; round < ROUNDS; round++) {
    const wrong = new Set(confirmed.filter(isWrong).map(({ id }) => id));
    if (wrong.size === 0) break;
    const second = new Map((await again(wrong)).map((result) => [result.id, result]));
    confirmed = confirmed.map((result) => mergeAgain(result, second.get(result.id)));
  }
  return confirmed;
}

/** Returns new results and new predictions of those of the cells that have one of the ids. */
export async function predictAgain(
  { cluster, deployment, variant, cells }: PredictedCells,
  ids: ReadonlySet<string>,
  run: typeof DEFAULT_RUN = DEFAULT_RUN,
): Promise<readonly CellResult[]> {
  const wrong = cells.filter(({ id }) => ids.has(id));
  const predictions = await predictCells(cluster, wrong, deployment);
  return withPredictions(await runCells(wrong, variant, deployment, run), predictions);
}

/**
 * Takes the second prediction if it is right and its probe ended as the first. If its probe ended otherwise, the cell's result
 * changes by itself, and no prediction of it counts.
 */
function mergeAgain(result: CellResult, again: CellResult | undefined): CellResult {
  if (again === undefined || isWrong(again)) return result;
  const { predicted, ...rest } = result;
  const isSameResult = predicted !== undefined && hasArrived(again) === hasArrived(result);
  return isSameResult && again.predicted !== undefined ? { ...rest, predicted: again.predicted } : rest;
}

function isWrong(result: CellResult): boolean {
  const judgement = judgePrediction(result);
  return judgement === "false-green" || judgement === "false-red";
}
