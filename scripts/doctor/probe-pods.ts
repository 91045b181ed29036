import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { clusterApi } from "../../e2e/support/cluster-api.ts";
import { listFindings } from "../../e2e/doctor/causes.ts";
import { comparePrediction } from "../../e2e/doctor/compare-prediction.ts";
import { PREDICTED } from "../../e2e/doctor/predicted.ts";
import { listMatrixCells } from "../../e2e/cells/matrix-cells.ts";
import { deployPods } from "../../e2e/deployment/deploy.ts";
import { buildProbe } from "../../e2e/probe/build-probe.ts";

/** Exit statuses of complete probes; 2 is an incomplete one. */
const PROBE_STATUS = { allPasses: 0, failsAsPredicted: 1, predictedWrongly: 3 } as const;
type ProbeStatus = (typeof PROBE_STATUS)[keyof typeof PROBE_STATUS];

/**
 * Deploys the suite's pods in a cluster of `npm run up`, predicts the failed cells, and probes every cell. Does not change the
 * cluster, whose faults are the subject.
 */
export async function probePods(provider: string, name: string, print: (line: string) => void): Promise<ProbeStatus> {
  const source = await loadProvider(provider);
  if (source.find === undefined)
    throw new Error(`--probe creates pods: it needs a cluster of npm run up, not --provider ${provider}`);
  const cluster = await source.find(name, await buildProbe(), createPlainProgress());
  // Whether masquerade changes the source depends on settings of the cluster that the doctor does not judge.
  const deployment = { ...(await deployPods(cluster, clusterApi(cluster))), judgesSources: false };
  try {
    const findings = await listFindings(cluster);
    for (const { severity, check, message, remedy } of findings)
      print(`${severity} ${check}: ${message}\n  -> ${remedy}`);
    const probedCells = listMatrixCells(deployment.workers.length, deployment.families).filter(({ group }) =>
      PREDICTED.includes(group),
    );
    const { predicted, failedAndNotPredicted, predictedAndPassed } = await comparePrediction(
      findings,
      probedCells,
      deployment,
    );
    const confirmed = predicted.filter((id) => !predictedAndPassed.includes(id));
    for (const id of confirmed) print(`fails, as predicted: ${id}`);
    for (const id of failedAndNotPredicted) print(`fails, but was predicted to pass: ${id}`);
    for (const id of predictedAndPassed) print(`passes, but was predicted to fail: ${id}`);
    const wrongCount = failedAndNotPredicted.length + predictedAndPassed.length;
    const failedCount = confirmed.length + failedAndNotPredicted.length;
    print(
      `${probedCells.length} cells probed: ${probedCells.length - failedCount} pass, ${failedCount} fail; ${wrongCount === 0 ? "all as predicted" : `${wrongCount} wrong predictions`}.`,
    );
    if (wrongCount > 0) return PROBE_STATUS.predictedWrongly;
    return findings.every(({ severity }) => severity === "warning")
      ? PROBE_STATUS.allPasses
      : PROBE_STATUS.failsAsPredicted;
  } finally {
    await deployment.closeProbers();
  }
}
