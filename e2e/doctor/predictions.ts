import type { Cluster } from "../../clusters/provider/provider.ts";
import { findRemedy } from "../../plugin/trace/tell/find-remedy.ts";
import type { Trace } from "../../plugin/trace/trace.ts";
import type { CellResult } from "../../results/schema.ts";
import type { Cell } from "../cells/cell.ts";
import type { Deployment } from "../deployment/deploy.ts";
import type { PacketPath } from "../evidence/path.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { collectCluster } from "../trace/collect-cluster.ts";
import { toPredictedPath } from "../trace/predicted-path.ts";
import { hasClient, isTraced, traceCells } from "../trace/trace-cells.ts";

/** Prediction of a cell's result by a trace. */
export interface Prediction {
  readonly verdict: "pass" | "fail";
  readonly path: PacketPath;
  /** Rule or route that decides about a cell that fails, and the remedy. */
  readonly cause?: string;
}

/** Predictions by the ids of the cells. */
export type Predictions = ReadonlyMap<string, Prediction>;

/**
 * Traces each cell through the state of the kernels. Cells that the trace cannot decide are left out, and those whose result is
 * random.
 *
 * @throws an error if the state cannot be read
 */
export async function predictCells(
  cluster: Cluster,
  asked: readonly Cell[],
  deployment: Deployment,
): Promise<Predictions> {
  const snapshot = await collectCluster(cluster, clusterApi(cluster));
  const traced = asked.filter((cell) => isTraced(cell) && hasClient(snapshot, cell));
  const { traces } = traceCells(snapshot, traced, deployment);
  return new Map(
    [...traces].flatMap(([id, trace]) => {
      const prediction = toPrediction(trace, deployment);
      return prediction === undefined ? [] : [[id, prediction] as const];
    }),
  );
}

function toPrediction(trace: Trace, names: Parameters<typeof toPredictedPath>[1]): Prediction | undefined {
  const { verdict, paths } = trace;
  if (verdict === "unknown") return undefined;
  const path = toPredictedPath(trace, names);
  if (verdict === "pass") return { verdict: "pass", path };
  if (paths.some((one) => one.verdict === "pass" || one.verdict === "unknown")) return undefined;
  const failure = paths[0]?.failure;
  const remedy = failure && findRemedy(failure);
  const cause = failure && `${failure.namespace}: ${failure.text}${remedy === undefined ? "" : `. ${remedy}`}`;
  return { verdict: "fail", path, ...(cause === undefined ? {} : { cause }) };
}

/** Adds the predictions to the results: verdict, path where one was captured, and the cause of a failure without one. Pure. */
export function withPredictions(results: readonly CellResult[], predictions: Predictions): CellResult[] {
  return results.map((result) => {
    const prediction = predictions.get(result.id);
    if (prediction === undefined) return result;
    const { verdict, path, cause } = prediction;
    const captured = result.evidence?.path;
    const predicted = { request: [...path.request], reply: [...path.reply] };
    return {
      ...result,
      predicted: verdict,
      ...(captured === undefined ? {} : { evidence: { ...result.evidence, path: { ...captured, predicted } } }),
      ...(result.ok || result.cause !== undefined || cause === undefined ? {} : { cause: `trace: ${cause}` }),
    };
  });
}

/** Returns the cells that were predicted to pass and failed. Pure. */
export function findFalseGreen(results: readonly CellResult[]): readonly CellResult[] {
  return results.filter(({ predicted, actual }) => predicted === "pass" && actual !== "pass");
}
