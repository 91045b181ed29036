import { createPlainProgress } from "../../../clusters/progress/plain.ts";
import type { Progress } from "../../../clusters/progress/progress.ts";
import type { Cluster } from "../../../clusters/provider/provider.ts";
import { loadProvider } from "../../../clusters/providers.ts";
import { buildClusterSpec } from "../../support/build-cluster-spec.ts";
import { parseRunOptions } from "../../support/run-options.ts";

/**
 * Runs a measurement in a lab of its own, which is taken down afterwards.
 *
 * @param bench name of the benchmark; the lab is `bench-NAME`, or the one that INTERLAY_CLUSTER names
 * @param options variables of a run, like INTERLAY_KUBE_PROXY
 * @throws if the machine lacks something that a lab needs
 */
export async function withBenchLab<T>(
  bench: string,
  measure: (cluster: Cluster, progress: Progress) => Promise<T>,
  options: Readonly<Record<string, string>> = {},
): Promise<T> {
  const provider = await loadProvider("lab");
  const name = process.env["INTERLAY_CLUSTER"] ?? `bench-${bench}`;
  const spec = await buildClusterSpec(
    parseRunOptions({ INTERLAY_PROVIDER: "lab", INTERLAY_CLUSTER: name, ...options }),
  );
  const missing = (await provider.preflight(spec)).find(({ severity }) => severity === "error");
  if (missing !== undefined) throw new Error(missing.message);
  const progress = createPlainProgress();
  try {
    return await measure(await provider.up(spec, progress), progress);
  } finally {
    await provider.down(name, progress);
  }
}
