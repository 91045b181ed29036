import { createPlainProgress } from "../../clusters/progress-plain.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { clusterApi } from "../../e2e/support/cluster-api.ts";
import { listFindings } from "../../e2e/doctor/causes.ts";
import { comparePrediction } from "../../e2e/doctor/compare.ts";
import { PREDICTED } from "../../e2e/doctor/predicted.ts";
import { cells } from "../../e2e/matrix/cells.ts";
import { deploy } from "../../e2e/pods/deploy.ts";
import { buildProbe } from "../../e2e/probe/build.ts";

/** Exit statuses of a probe that was asked to its end; 2 is one that was not. */
export const PROBE_STATUS = { allPasses: 0, failsAsPredicted: 1, predictedWrongly: 3 } as const;
type ProbeStatus = (typeof PROBE_STATUS)[keyof typeof PROBE_STATUS];

/**
 * `npm run doctor -- --probe`: the suite's pods in a cluster that `npm run up` has brought up, the prediction, and then
 * every cell asked. The cluster stays as it is: what is wrong with it is what is asked about.
 */
export async function probePods(provider: string, name: string, say: (line: string) => void): Promise<ProbeStatus> {
  const from = await loadProvider(provider);
  if (from.find === undefined)
    throw new Error(`--probe makes pods and asks them: for a cluster by npm run up, not for --provider ${provider}.`);
  const cluster = await from.find(name, await buildProbe(), createPlainProgress());
  const deployment = await deploy(cluster, clusterApi(cluster));
  try {
    const findings = await listFindings(cluster);
    for (const { severity, check, message, remedy } of findings)
      say(`${severity} ${check}: ${message}\n  -> ${remedy}`);
    const asked = cells(deployment.workers.length, deployment.families).filter(({ group }) =>
      PREDICTED.includes(group),
    );
    const { predicted, failedAndNotPredicted, predictedAndPassed } = await comparePrediction(
      findings,
      asked,
      deployment,
    );
    const right = predicted.filter((id) => !predictedAndPassed.includes(id));
    for (const id of right) say(`fails, as predicted: ${id}`);
    for (const id of failedAndNotPredicted) say(`fails, and was predicted to pass: ${id}`);
    for (const id of predictedAndPassed) say(`passes, and was predicted to fail: ${id}`);
    const wrong = failedAndNotPredicted.length + predictedAndPassed.length;
    const failed = right.length + failedAndNotPredicted.length;
    say(
      `${asked.length} cells asked: ${asked.length - failed} pass, ${failed} fail; ${wrong === 0 ? "each as predicted" : `${wrong} predicted wrongly`}.`,
    );
    if (wrong > 0) return PROBE_STATUS.predictedWrongly;
    return findings.every(({ severity }) => severity === "warning")
      ? PROBE_STATUS.allPasses
      : PROBE_STATUS.failsAsPredicted;
  } finally {
    await deployment.closeProbers();
  }
}
