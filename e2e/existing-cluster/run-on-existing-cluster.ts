import type { Cluster } from "../../clusters/provider/provider.ts";
import { type Report, reportSchema } from "../../results/schema.ts";
import { runE2eProcess } from "../support/e2e-process.ts";

interface ExistingClusterRun {
  readonly exitCode: number | null;
  /** End of its stderr. */
  readonly output: string;
  /** Undefined: the run ended without a report. */
  readonly report: Report | undefined;
}

/** Runs the suite in another process, which gets only the cluster's kubeconfig. */
export async function runOnExistingCluster(cluster: Cluster, flags: readonly string[]): Promise<ExistingClusterRun> {
  const argv = ["--provider", "existing", "--kubeconfig", cluster.kubeconfig, "--json", ...flags];
  const { exitCode, stdout, stderr } = await runE2eProcess(argv);
  const report = stdout === "" ? undefined : reportSchema.safeParse(JSON.parse(stdout)).data;
  return { exitCode, output: stderr.slice(-8000), report };
}
