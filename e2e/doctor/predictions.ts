import type { Cluster } from "../../clusters/provider/provider.ts";
import type { CellResult } from "../../results/schema.ts";
import type { Cell } from "../cells/cell.ts";
import type { Deployment } from "../deployment/deploy.ts";
import { listFindings } from "./causes.ts";
import { PREDICTED, predictedFailures } from "./predicted.ts";

/** The doctor's prediction for each cell that it knows, by the cell's id. */
export type Predictions = ReadonlyMap<string, "pass" | "fail">;

/** Returns the doctor's predictions for the cluster. @throws an error if the doctor fails */
export async function predictCells(
  cluster: Cluster,
  asked: readonly Cell[],
  deployment: Deployment,
): Promise<Predictions> {
  const known = asked.filter(({ group }) => PREDICTED.includes(group));
  const failing = new Set(
    predictedFailures(
      await listFindings(cluster),
      known,
      (pod) => deployment.pods.get(pod)?.node,
      (cell) => deployment.locate(cell).address,
    ),
  );
  return new Map(known.map(({ id }) => [id, failing.has(id) ? "fail" : "pass"]));
}

/** Adds the predictions to the results. Pure. */
export function withPredictions(results: readonly CellResult[], predictions: Predictions): CellResult[] {
  return results.map((result) => {
    const predicted = predictions.get(result.id);
    return predicted === undefined ? result : { ...result, predicted };
  });
}

/** Returns the cells that were predicted to pass and failed. Pure. */
export function findFalseGreen(results: readonly CellResult[]): readonly CellResult[] {
  return results.filter(({ predicted, actual }) => predicted === "pass" && actual !== "pass");
}
