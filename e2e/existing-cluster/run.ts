import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Cluster } from "../../clusters/provider.ts";
import { type Report, reportSchema } from "../../results/schema.ts";

export interface ExistingClusterRun {
  readonly exitCode: number | null;
  /** Of stdout and stderr, its last part. */
  readonly output: string;
  /** Undefined: it did not get as far. */
  readonly report: Report | undefined;
}

/** The suite in a process of its own, which knows of the cluster no more than its kubeconfig. */
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
