import type { Cell } from "../cells/cell.ts";
import type { Variant } from "../cells/gate.ts";
import { runCells } from "../deployment/run-cells.ts";
import type { Deployment } from "../deployment/deploy.ts";
import type { Findings } from "./doctor.ts";
import { listPredictedFailures } from "./predicted.ts";

/** A variant in which every cell passes, so that each failure has a cause that the doctor must have found. */
export const HEALTHY: Variant = { kubeProxy: { version: "v1.29.15", mode: "iptables" }, returnPath: "notrack" };
const RUN = { passTimeoutMs: 1500, blockedTimeoutMs: 1500, parallel: 48, attempts: 2 } as const;

/** Ids of cells by prediction and result. */
interface Comparison {
  readonly predicted: readonly string[];
  readonly failedAndNotPredicted: readonly string[];
  readonly predictedAndPassed: readonly string[];
}

/** Probes the cells, and compares the results to the findings. */
export async function comparePrediction(
  findings: Findings,
  cells: readonly Cell[],
  deployment: Deployment,
): Promise<Comparison> {
  const findNode = (pod: string) => deployment.pods.get(pod)?.node;
  const predicted = listPredictedFailures(findings, cells, findNode, (cell) => deployment.locate(cell).address);
  const results = await runCells(cells, HEALTHY, deployment, RUN);
  const failed = results.filter(({ actual }) => actual === "fail").map(({ id }) => id);
  const subtract = (ids: readonly string[], removed: readonly string[]) => ids.filter((id) => !removed.includes(id));
  return {
    predicted,
    failedAndNotPredicted: subtract(failed, predicted),
    predictedAndPassed: subtract(predicted, failed),
  };
}
