import { plainProgress } from "../clusters/progress-plain.ts";
import { providerNamed } from "../clusters/providers.ts";
import { clusterApi } from "../e2e/cluster-api.ts";
import { runOptions, specFor } from "../e2e/context.ts";
import { findingsOf } from "../e2e/doctor/causes.ts";
import { compare } from "../e2e/doctor/compare.ts";
import { PREDICTED } from "../e2e/doctor/predicted.ts";
import { cells } from "../e2e/matrix/cells.ts";
import { deploy } from "../e2e/pods/deploy.ts";

/**
 * `npm run doctor -- --probe`: the suite's pods in a cluster that `npm run up` has brought up, the prediction, and then
 * every cell asked. Returns whether the probes show what was predicted.
 */
export async function probe(provider: string, name: string, say: (line: string) => void): Promise<boolean> {
  const options = { ...runOptions(), name };
  const cluster = await (await providerNamed(provider)).up(await specFor(options), plainProgress());
  const deployment = await deploy(cluster, clusterApi(cluster));
  try {
    const findings = await findingsOf(cluster);
    for (const { severity, check, message } of findings) say(`${severity} ${check}: ${message}`);
    const asked = cells(deployment.workers.length).filter(({ group }) => PREDICTED.includes(group));
    const { predicted, failedAndNotPredicted, predictedAndPassed } = await compare(findings, asked, deployment);
    for (const id of failedAndNotPredicted) say(`failed, and was not predicted to: ${id}`);
    for (const id of predictedAndPassed) say(`predicted to fail, and passed: ${id}`);
    const wrong = failedAndNotPredicted.length + predictedAndPassed.length;
    say(`${asked.length} cells asked, ${predicted.length} predicted to fail, ${wrong} predicted wrongly`);
    return wrong === 0;
  } finally {
    await deployment.closeProbers();
  }
}
