import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Cluster } from "../../clusters/provider.ts";
import { type Report, reportSchema } from "../../results/schema.ts";

interface ExistingClusterRun {
  readonly exitCode: number | null;
  /** End of its stdout and stderr. */
  readonly output: string;
  /** Undefined: the run ended without a report. */
  readonly report: Report | undefined;
}

/** Runs the suite in another process, which gets only the cluster's kubeconfig. */
export async function runOnExistingCluster(cluster: Cluster, flags: readonly string[]): Promise<ExistingClusterRun> {
  const script = join(import.meta.dirname, "..", "..", "scripts", "e2e.ts");
  const argv = ["--import", "tsx", script, "--provider", "existing", "--kubeconfig", cluster.kubeconfig, "--json"];
  const child = spawn(process.execPath, [...argv, ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
    env: environment(),
  });
  let json = "";
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (json += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output = (output + text).slice(-8000)));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject).once("close", resolve);
  });
  const parsed = json === "" ? undefined : reportSchema.safeParse(JSON.parse(json)).data;
  return { exitCode, output, report: parsed };
}

/** This run's options are none of that one's. */
function environment(): NodeJS.ProcessEnv {
  const kept = new Set(["INTERLAY_CACHE"]);
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("INTERLAY_") || kept.has(name)),
  );
}
