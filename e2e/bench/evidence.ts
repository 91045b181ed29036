import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { buildClusterSpec } from "../support/build-cluster-spec.ts";
import { parseRunOptions } from "../support/run-options.ts";
import { captureCells } from "../evidence/capture-cells.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import type { Variant } from "../cells/gate.ts";
import { runCells } from "../deployment/run-cells.ts";
import { switchVariant } from "../deployment/variant.ts";
import { deployPods } from "../deployment/deploy.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { roundToHundredth, median, roundToTenth } from "./measurement/statistics.ts";
import { LAB_PARTS } from "./measurement/versions.ts";

const ROUNDS = 9;
const LIMIT = 3;
/** A variant without blocked cells, and one with blocked cells. Each blocked cell waits for its whole timeout. */
const VARIANTS: readonly Variant[] = [
  { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "notrack" },
  { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "liberal" },
];

/** Measures the matrix with and without captures, alternately in one lab. */
export const runEvidenceBench: Bench = {
  name: "evidence",
  description: "the matrix with captures compared with the matrix alone, in a lab",
  parts: { components: LAB_PARTS, kubeProxies: [...new Set(VARIANTS.map(({ kubeProxy }) => kubeProxy.version))] },
  run: async (print) => {
    const provider = await loadProvider("lab");
    const options = parseRunOptions({ INTERLAY_PROVIDER: "lab", INTERLAY_CLUSTER: "bench-evidence" });
    const spec = await buildClusterSpec(options);
    const missing = (await provider.preflight(spec)).find(({ severity }) => severity === "error");
    if (missing !== undefined) throw new Error(missing.message);
    const progress = createPlainProgress();
    try {
      const cluster = await provider.up(spec, progress);
      const deployment = await deployPods(cluster, clusterApi(cluster));
      const selectedCells = listMatrixCells(deployment.workers.length);
      const figures: Measurement[] = [];
      for (const variant of VARIANTS) {
        await switchVariant(cluster, variant);
        const durations: Record<"without" | "with", number[]> = { without: [], with: [] };
        for (let round = 0; round <= ROUNDS; round++)
          for (const [kind, run] of [
            ["without", () => runCells(selectedCells, variant, deployment)],
            ["with", () => captureCells({ cluster, deployment, variant }, selectedCells)],
          ] as const) {
            const started = performance.now();
            const failedCells = (await run()).filter(({ ok }) => !ok);
            if (failedCells[0] !== undefined)
              throw new Error(`${failedCells.length} cells failed: ${failedCells[0].reason ?? failedCells[0].id}`);
            if (round > 0) durations[kind].push(performance.now() - started); // the first round is a warm-up
          }
        const [without, withEvidence] = [median(durations.without), median(durations.with)];
        print(`${variant.returnPath}: ${roundToTenth(without)} ms without, ${roundToTenth(withEvidence)} ms with`);
        const basis = `${selectedCells.length} cells, median of ${ROUNDS}, alternately; return path ${variant.returnPath}`;
        figures.push(
          { name: `matrix alone, ${variant.returnPath}`, value: roundToTenth(without), unit: "ms", basis },
          {
            name: `matrix with evidence, ${variant.returnPath}`,
            value: roundToTenth(withEvidence),
            unit: "ms",
            basis,
          },
          {
            name: `cost of evidence, ${variant.returnPath}`,
            value: roundToHundredth(withEvidence / without),
            unit: "x",
            limit: LIMIT,
            basis: "with / without",
          },
        );
      }
      await deployment.closeProbers();
      return figures;
    } finally {
      await provider.down(options.name, progress);
    }
  },
};
