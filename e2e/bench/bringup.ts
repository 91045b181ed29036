import { createPlainProgress } from "../../clusters/progress-plain.ts";
import type { Provider } from "../../clusters/provider.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { buildClusterSpec } from "../support/cluster-spec.ts";
import { parseRunOptions } from "../support/options.ts";
import { cells } from "../matrix/cells.ts";
import { DEFAULT_RUN, runCells } from "../matrix/run.ts";
import { waitForServices } from "../matrix/services-known.ts";
import { deploy } from "../pods/deploy.ts";
import type { Bench, Measurement } from "./measurement.ts";
import { median, roundToTenth } from "./statistics.ts";
import { LAB_PARTS } from "./versions.ts";

/** Up as it comes: kube-proxy below v1.29, whose INVALID rule Interlay's default return path lives with. */
const VARIANT = { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "notrack" } as const;
const ROUNDS = 3;
const PHASES = ["cluster", "pods", "matrix"] as const;
type Phase = (typeof PHASES)[number];
const WORDS: Readonly<Record<Phase, string>> = {
  cluster: "up, every workload ready",
  pods: "the pods of the three types ready, their Services known",
  matrix: "the matrix, every cell as expected",
};

/** From nothing to the first green matrix, components in the cache. `INTERLAY_PROVIDERS=lab,kind` names where. */
export const runBringupBench: Bench = {
  name: "bringup",
  about: "from nothing to the first green matrix, warm; by providers (INTERLAY_PROVIDERS, lab,kind), in turns",
  takingPart: { components: [...LAB_PARTS, "kind"], kubeProxies: [VARIANT.kubeProxy.version] },
  run: async (say) => {
    const names = (process.env["INTERLAY_PROVIDERS"] ?? "lab,kind").split(",").map((name) => name.trim());
    const providers = await Promise.all(names.map((name) => loadProvider(name)));
    const took = new Map<string, Record<Phase, number>[]>();
    let asked = 0;
    for (let round = 0; round < ROUNDS; round++)
      for (const provider of providers) {
        const { seconds, count } = await bringUp(provider);
        asked = count;
        took.set(provider.name, [...(took.get(provider.name) ?? []), seconds]);
        say(
          `${provider.name}: ${PHASES.map((phase) => `${WORDS[phase]} ${roundToTenth(seconds[phase])} s`).join(", ")}`,
        );
      }
    return [...took].flatMap(([name, rounds]) => figuresOf(name, rounds, asked));
  },
};

function figuresOf(name: string, rounds: readonly Record<Phase, number>[], asked: number): readonly Measurement[] {
  const basis = `median of ${rounds.length}, components and images in the cache, 2 workers`;
  const all = rounds.map((one) => PHASES.reduce((sum, phase) => sum + one[phase], 0));
  return [
    ...PHASES.map((phase): Measurement => {
      const value = roundToTenth(median(rounds.map((one) => one[phase])));
      return { name: `${name}: ${WORDS[phase]}`, value, unit: "s", basis };
    }),
    {
      name: `${name}: from nothing to the first green matrix`,
      value: roundToTenth(median(all)),
      unit: "s",
      basis: `${asked} cells; ${basis}`,
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
    const { deployment, all } = await timed("pods", async () => {
      const deployment = await deploy(cluster, clusterApi(cluster));
      const all = cells(deployment.workers.length, deployment.families);
      await waitForServices(all, VARIANT, deployment);
      return { deployment, all };
    });
    const results = await timed("matrix", () => runCells(all, VARIANT, deployment, DEFAULT_RUN));
    await deployment.closeProbers();
    const wrong = results.find(({ ok }) => !ok);
    if (wrong !== undefined) throw new Error(`the matrix is not green: ${wrong.id}: ${wrong.reason ?? wrong.actual}`);
    return { seconds, count: all.length };
  } finally {
    await provider.down(name, progress);
  }
}
