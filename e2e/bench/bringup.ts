import { createPlainProgress } from "../../clusters/progress/plain.ts";
import type { Provider } from "../../clusters/provider/provider.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { buildClusterSpec } from "../support/build-cluster-spec.ts";
import { parseRunOptions } from "../support/run-options.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import { DEFAULT_RUN, runCells } from "../deployment/run-cells.ts";
import { waitForServices } from "../matrix/services-known.ts";
import { deployPods } from "../deployment/deploy.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { median, roundToTenth } from "./measurement/statistics.ts";
import { LAB_PARTS } from "./measurement/versions.ts";

/** The default return path, with a kube-proxy before v1.29 and its INVALID rule. */
const VARIANT = { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "notrack" } as const;
const ROUNDS = 3;
const PHASES = ["cluster", "pods", "matrix"] as const;
type Phase = (typeof PHASES)[number];
const PHASE_TITLES: Readonly<Record<Phase, string>> = {
  cluster: "cluster up, every workload ready",
  pods: "the suite's pods ready, their Services reachable",
  matrix: "matrix, every cell as expected",
};

/** Measures the time until the first passed matrix, with cached components. `INTERLAY_PROVIDERS=lab,kind` selects providers. */
export const runBringupBench: Bench = {
  name: "bringup",
  description:
    "time until the first passed matrix with cached components, alternately by provider (INTERLAY_PROVIDERS, lab,kind)",
  parts: { components: [...LAB_PARTS, "kind"], kubeProxies: [VARIANT.kubeProxy.version] },
  run: async (print) => {
    const names = (process.env["INTERLAY_PROVIDERS"] ?? "lab,kind").split(",").map((name) => name.trim());
    const providers = await Promise.all(names.map((name) => loadProvider(name)));
    const durations = new Map<string, Record<Phase, number>[]>();
    let cellCount = 0;
    for (let round = 0; round < ROUNDS; round++)
      for (const provider of providers) {
        const { seconds, count } = await bringUp(provider);
        cellCount = count;
        durations.set(provider.name, [...(durations.get(provider.name) ?? []), seconds]);
        print(
          `${provider.name}: ${PHASES.map((phase) => `${PHASE_TITLES[phase]} ${roundToTenth(seconds[phase])} s`).join(", ")}`,
        );
      }
    return [...durations].flatMap(([name, rounds]) => toMeasurements(name, rounds, cellCount));
  },
};

function toMeasurements(
  name: string,
  rounds: readonly Record<Phase, number>[],
  planned: number,
): readonly Measurement[] {
  const basis = `median of ${rounds.length}, components and images in the cache, 2 workers`;
  const totals = rounds.map((seconds) => PHASES.reduce((sum, phase) => sum + seconds[phase], 0));
  return [
    ...PHASES.map((phase): Measurement => {
      const value = roundToTenth(median(rounds.map((seconds) => seconds[phase])));
      return { name: `${name}: ${PHASE_TITLES[phase]}`, value, unit: "s", basis };
    }),
    {
      name: `${name}: until the first passed matrix`,
      value: roundToTenth(median(totals)),
      unit: "s",
      basis: `${planned} cells; ${basis}`,
    },
  ];
}

async function bringUp(
  provider: Provider,
): Promise<{ readonly seconds: Record<Phase, number>; readonly count: number }> {
  const name = `${process.env["INTERLAY_CLUSTER"] ?? "bench-bringup"}-${provider.name}`;
  const options = parseRunOptions({
    INTERLAY_PROVIDER: provider.name,
    INTERLAY_CLUSTER: name,
    INTERLAY_KUBE_PROXY: VARIANT.kubeProxy.version,
  });
  const spec = await buildClusterSpec(options);
  const missing = (await provider.preflight(spec)).find(({ severity }) => severity === "error");
  if (missing !== undefined) throw new Error(missing.message);
  const progress = createPlainProgress();
  const seconds: Record<Phase, number> = { cluster: 0, pods: 0, matrix: 0 };
  const timed = async <T>(phase: Phase, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    seconds[phase] = (performance.now() - started) / 1000;
    return result;
  };
  await provider.down(name, progress);
  try {
    const cluster = await timed("cluster", () => provider.up(spec, progress));
    const { deployment, cells } = await timed("pods", async () => {
      const deployment = await deployPods(cluster, clusterApi(cluster));
      const cells = listMatrixCells(deployment.workers.length, deployment.families);
      await waitForServices(cells, VARIANT, deployment);
      return { deployment, cells };
    });
    const results = await timed("matrix", () => runCells(cells, VARIANT, deployment, DEFAULT_RUN));
    await deployment.closeProbers();
    const failedCell = results.find(({ ok }) => !ok);
    if (failedCell !== undefined)
      throw new Error(`the matrix did not pass: ${failedCell.id}: ${failedCell.reason ?? failedCell.actual}`);
    return { seconds, count: cells.length };
  } finally {
    await provider.down(name, progress);
  }
}
