import { listMatrixCells } from "../cells/matrix-cells.ts";
import { deployPods } from "../deployment/deploy.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { collectCluster } from "../trace/collect-cluster.ts";
import { isTraced, traceCells } from "../trace/trace-cells.ts";
import { withBenchLab } from "./measurement/bench-lab.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { median, roundToHundredth } from "./measurement/statistics.ts";
import { LAB_PARTS } from "./measurement/versions.ts";
import { measureServices } from "./trace/collect-services.ts";
import { SERVICE_COUNT } from "./trace/service-rules.ts";

const ROUNDS = 7;
const SECOND_MS = 1000;

/** Measures how long it takes to read the state of a cluster, and to trace its cells. */
export const runTraceBench: Bench = {
  name: "trace",
  description: `reading the state of a lab of 3 nodes and tracing every cell; a node with ${SERVICE_COUNT} Services`,
  parts: { components: LAB_PARTS, tools: ["iproute2", "nftables", "iptables"] },
  run: async (print) => {
    const services = await measureServices(ROUNDS);
    print(`${SERVICE_COUNT} Services: ${services.map(({ collect }) => Math.round(collect)).join(", ")} ms`);
    const basis = `median of ${ROUNDS}`;
    return [
      {
        name: `snapshot with ${SERVICE_COUNT} Services`,
        value: roundToHundredth(median(services.map(({ collect }) => collect)) / SECOND_MS),
        unit: "s",
        limit: 3,
        basis: `${basis}; from the start of interlay trace --collect to the parsed snapshot`,
      },
      {
        name: `first trace with ${SERVICE_COUNT} Services`,
        value: roundToHundredth(median(services.map(({ firstTrace }) => firstTrace)) / SECOND_MS),
        unit: "s",
        basis: `${basis}; with the compilation of the rules`,
      },
      ...(await measureMatrix(print)),
    ];
  },
};

function measureMatrix(print: (line: string) => void): Promise<readonly Measurement[]> {
  return withBenchLab("trace", async (cluster) => {
    const api = clusterApi(cluster);
    const deployment = await deployPods(cluster, api);
    await deployment.closeProbers();
    const selectedCells = listMatrixCells(deployment.workers.length).filter(isTraced);
    const times: { readonly collect: number; readonly trace: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const started = performance.now();
      const snapshot = await collectCluster(cluster, api);
      const collect = performance.now() - started;
      times.push({ collect, trace: traceCells(snapshot, selectedCells, deployment).milliseconds });
    }
    print(times.map(({ collect, trace }) => `${Math.round(collect)} + ${Math.round(trace)} ms`).join(", "));
    const basis = `${selectedCells.length} cells of ${cluster.nodes.length} nodes on one machine, median of ${ROUNDS}`;
    return [
      {
        name: "a cell",
        value: roundToHundredth(median(times.map(({ trace }) => trace)) / selectedCells.length),
        unit: "ms",
        limit: 2,
        basis: `${basis}; with the compilation of the rules`,
      },
      {
        name: "the matrix with its collection",
        value: roundToHundredth(median(times.map(({ collect, trace }) => collect + trace)) / SECOND_MS),
        unit: "s",
        limit: 2,
        basis,
      },
      {
        name: "the collection alone",
        value: roundToHundredth(median(times.map(({ collect }) => collect)) / SECOND_MS),
        unit: "s",
        basis,
      },
    ];
  });
}
