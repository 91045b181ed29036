import type { Cluster } from "../../clusters/provider/provider.ts";
import { findRemedy } from "../../plugin/trace/tell/find-remedy.ts";
import type { Trace } from "../../plugin/trace/trace.ts";
import { type Judgement, judgePrediction } from "../../results/judge-prediction.ts";
import type { CellResult } from "../../results/schema.ts";
import type { Cell } from "../cells/cell.ts";
import type { Deployment } from "../deployment/deploy.ts";
import type { PacketPath } from "../evidence/path.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { collectCluster } from "../trace/collect-cluster.ts";
import { predictResult } from "../trace/compare-traces.ts";
import { toPredictedPath } from "../trace/predicted-path.ts";
import { hasClient, isTraced, traceCells } from "../trace/trace-cells.ts";

/** Prediction of a cell's result by a trace. */
export interface Prediction {
  readonly result: NonNullable<CellResult["predicted"]>;
  readonly path: PacketPath;
  /** Rule or route by which the cell fails, or that the trace does not know, and the remedy. */
  readonly cause?: string;
}

/** Predictions by the ids of the cells. */
export type Predictions = ReadonlyMap<string, Prediction>;

/**
 * Traces each cell through the state of the kernels.
 *
 * @throws an error if the state cannot be read
 */
export async function predictCells(
  cluster: Cluster,
  cells: readonly Cell[],
  deployment: Deployment,
): Promise<Predictions> {
  const snapshot = await collectCluster(cluster, clusterApi(cluster));
  const traced = cells.filter((cell) => isTraced(cell) && hasClient(snapshot, cell));
  const { traces } = traceCells(snapshot, traced, deployment);
  return new Map([...traces].map(([id, trace]) => [id, toPrediction(trace, deployment)] as const));
}

function toPrediction(trace: Trace, names: Parameters<typeof toPredictedPath>[1]): Prediction {
  const result = predictResult(trace);
  const path = toPredictedPath(trace, names);
  const failure = trace.paths.find(({ verdict }) => verdict === trace.verdict)?.failure;
  if (result === "pass" || failure === undefined) return { result, path };
  const remedy = findRemedy(failure);
  return { result, path, cause: `${failure.namespace}: ${failure.text}${remedy === undefined ? "" : `. ${remedy}`}` };
}

/** Adds the predictions to the results: verdict, path where one was captured, and the cause of a failure without one. Pure. */
export function withPredictions(results: readonly CellResult[], predictions: Predictions): CellResult[] {
  return results.map((result) => {
    const prediction = predictions.get(result.id);
    if (prediction === undefined) return result;
    const { result: predicted, path, cause } = prediction;
    const captured = result.evidence?.path;
    const hops = { request: [...path.request], reply: [...path.reply] };
    return {
      ...result,
      predicted,
      ...(captured === undefined ? {} : { evidence: { ...result.evidence, path: { ...captured, predicted: hops } } }),
      ...(result.ok || result.cause !== undefined || cause === undefined ? {} : { cause: `trace: ${cause}` }),
    };
  });
}

/** Cells that a trace predicted wrongly. */
export interface WrongPredictions {
  /** Predicted to pass, but failed. */
  readonly falseGreen: readonly CellResult[];
  /** Predicted to fail, but passed. */
  readonly falseRed: readonly CellResult[];
}

/** Returns the cells that were predicted wrongly. Pure. */
export function findWrongPredictions(results: readonly CellResult[]): WrongPredictions {
  const select = (judgement: Judgement) => results.filter((result) => judgePrediction(result) === judgement);
  return { falseGreen: select("false-green"), falseRed: select("false-red") };
}
