import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createPlainProgress } from "../../clusters/progress/plain.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { RECORDED_RESULTS } from "../../results/files/write.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { buildClusterSpec } from "../support/build-cluster-spec.ts";
import { parseRunOptions } from "../support/run-options.ts";
import { switchVariant } from "../deployment/variant.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { sampleCells } from "./scale/scale-cells.ts";
import { renderChart, type ChartPanel } from "./scale/chart.ts";
import { classifyGrowth, fitLine } from "./scale/curve.ts";
import { readDropped, diffDropped } from "./scale/dropped.ts";
import { setMinSyncPeriod } from "./scale/min-sync-period.ts";
import { probeAll } from "./scale/matrix.ts";
import { measureNodes, type Measures } from "./scale/measure.ts";
import { createScalePods, createServices, buildScalePod } from "./scale/scale-pods.ts";
import { buildProbes } from "./scale/probes.ts";
import { MIN_SYNC_SECONDS, describeIdle, waitUntilIdle } from "./scale/wait-until-idle.ts";
import { roundToHundredth, roundToTenth } from "./measurement/statistics.ts";
import { LAB_PARTS } from "./measurement/versions.ts";

const VARIANT = { kubeProxy: { version: "v1.28.15", mode: "iptables" }, returnPath: "notrack" } as const;
const STEPS = 5;
const CHART = join(RECORDED_RESULTS, "benchmarks", "scale.svg");
/** Range with 1,022 addresses, because most pods take one. */
const POD_RANGE = "10.7.200.0/22";

const BACKLOG_BASIS = "this machine's kernel, all namespaces; net.core.netdev_max_backlog";
const NEIGHBOUR_BASIS =
  "this machine's kernel, all namespaces; net.ipv4.neigh.default.gc_thresh3, which the lab raises";

interface Quantity {
  readonly key: keyof Measures;
  readonly name: string;
  readonly unit: Measurement["unit"];
}
const QUANTITIES: readonly Quantity[] = [
  { key: "add", name: "ADD of the plugin, one at a time", unit: "ms" },
  { key: "ipamAdd", name: "ADD of interlay-ipam, one at a time", unit: "ms" },
  { key: "agentMemory", name: "agent, resident memory", unit: "MiB" },
  { key: "agentProcessor", name: "agent, idle CPU with the programs that it calls", unit: "‰ of a processor" },
  { key: "ourRoutes", name: "Interlay's routes on a node", unit: "" },
  { key: "routes", name: "all routes on a node", unit: "" },
  { key: "ourNftRules", name: "Interlay's nft rules on a node", unit: "" },
  { key: "nftRules", name: "all nft rules on a node", unit: "" },
];

/** Measures growth with many nodes and pods in one lab, and whether every kind of cell still passes. */
export const runScaleBench: Bench = {
  name: "scale",
  description: "20 nodes and 500 pods in one lab: sampled cells of the matrix, and growth with the number of pods",
  parts: { components: LAB_PARTS, kubeProxies: [VARIANT.kubeProxy.version] },
  run: async (print) => {
    const nodes = Number(process.env["INTERLAY_NODES"] ?? 20);
    const podCount = Number(process.env["INTERLAY_SCALE_PODS"] ?? 500);
    const provider = await loadProvider("lab");
    const name = process.env["INTERLAY_CLUSTER"] ?? "bench-scale";
    const options = parseRunOptions({
      INTERLAY_PROVIDER: "lab",
      INTERLAY_CLUSTER: name,
      INTERLAY_NODES: String(nodes),
      INTERLAY_KUBE_PROXY: VARIANT.kubeProxy.version,
      INTERLAY_KEEP: process.env["INTERLAY_KEEP"],
    });
    const spec = { ...(await buildClusterSpec(options)), podRange: POD_RANGE };
    for (const { severity, message } of await provider.preflight(spec)) {
      if (severity === "error") throw new Error(message);
      print(message);
    }
    const progress = createPlainProgress();
    const points = new Map<keyof Measures, { pods: number; value: number }[]>();
    const measurements: Measurement[] = [];
    try {
      const started = performance.now();
      const cluster = await provider.up(spec, progress);
      const getSeconds = (from: number) => roundToTenth((performance.now() - from) / 1000);
      const size = `${nodes} workers, kube-proxy's iptables.minSyncPeriod ${MIN_SYNC_SECONDS} s`;
      measurements.push({ name: `lab up`, value: getSeconds(started), unit: "s", basis: size });
      const api = clusterApi(cluster);
      await createServices(api, nodes);
      await setMinSyncPeriod(api, `${MIN_SYNC_SECONDS}s`);
      await switchVariant(cluster, VARIANT);
      for (let step = 1; step <= STEPS; step++) {
        const [from, to] = [((step - 1) * podCount) / STEPS, (step * podCount) / STEPS].map(Math.round);
        const pods = Array.from({ length: (to ?? 0) - (from ?? 0) }, (_, index) =>
          buildScalePod((from ?? 0) + index, nodes),
        );
        const stepSeconds = await createScalePods(cluster, api, pods);
        print(`${to ?? 0} pods, ${describeIdle(await waitUntilIdle(cluster))}`);
        const measures = await measureNodes(cluster, api, step);
        print(
          `${to ?? 0} pods (the last ${pods.length} in ${roundToTenth(stepSeconds)} s): ${JSON.stringify(measures)}`,
        );
        for (const { key } of QUANTITIES)
          points.set(key, [...(points.get(key) ?? []), { pods: to ?? 0, value: measures[key] }]);
        if (step === 1 || step === STEPS)
          measurements.push({
            name: `${pods.length} pods ready, on top of ${from ?? 0}`,
            value: roundToTenth(stepSeconds),
            unit: "s",
            basis: size,
          });
      }
      const probes = await buildProbes(api, sampleCells(nodes), podCount, nodes);
      const idle = describeIdle(await waitUntilIdle(cluster));
      print(`probing ${idle}`);
      const [startedAt, before] = [performance.now(), await readDropped()];
      const { first, later, never } = await probeAll(cluster, api, probes, print);
      const dropped = diffDropped(before, await readDropped());
      for (const line of [...later, ...never]) print(line);
      const basis = `${probes.length} probes: each pair of nodes, every type, target and protocol; ${podCount} pods`;
      measurements.push(
        { name: "sampled cells, passed at first", value: first, unit: "", basis: `${basis}; ${idle}` },
        { name: "passed only after several attempts", value: later.length, unit: "", basis },
        {
          name: "never passed",
          value: never.length,
          unit: "failures",
          limit: 0,
          basis: [basis, ...never].join("; "),
        },
        { name: "duration of the sampled matrix", value: getSeconds(startedAt), unit: "s", basis },
        { name: "duration of the benchmark", value: getSeconds(started), unit: "s", basis: size },
        { name: "dropped packets: full queue", value: dropped.backlog, unit: "", basis: BACKLOG_BASIS },
        {
          name: "rejected neighbours: full table",
          value: dropped.neighbours,
          unit: "",
          basis: NEIGHBOUR_BASIS,
        },
      );
    } finally {
      if (!options.keep) await provider.down(name, progress);
    }
    const panels = QUANTITIES.map(({ key, name: title, unit }): ChartPanel => ({
      title,
      unit,
      points: points.get(key) ?? [],
    }));
    await writeFile(CHART, renderChart(`${nodes} nodes: growth with the number of pods`, panels));
    return [
      ...measurements,
      ...QUANTITIES.flatMap(({ key, name: quantity, unit }): readonly Measurement[] => {
        const curve = points.get(key) ?? [];
        const [first, last] = [curve[0], curve.at(-1)];
        if (first === undefined || last === undefined) return [];
        const perHundred = roundToHundredth(100 * fitLine(curve).slope);
        const basis = `${first.pods} pods: ${roundToTenth(first.value)}; ${classifyGrowth(curve)}: ${perHundred} more for 100 pods on ${nodes} nodes`;
        return [{ name: `${quantity}, ${last.pods} pods`, value: roundToTenth(last.value), unit, basis }];
      }),
    ];
  },
};
