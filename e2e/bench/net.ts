import { setTimeout as sleep } from "node:timers/promises";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import type { Progress } from "../../clusters/progress/progress.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { withBenchLab } from "./measurement/bench-lab.ts";
import type { Bench, Measurement } from "./measurement/measurement.ts";
import { toMeasurements, toOverallMeasurements, type SampleRounds } from "./net/net-measurements.ts";
import { Flow, FLOWS } from "./net/bench-flow.ts";
import { type BenchPods, createBenchPods } from "./net/bench-pods.ts";
import { runOnOtherCpus } from "./net/cpu-pinning.ts";
import { pauseOtherProcesses } from "./net/pause-others.ts";
import { KUBE_PROXY, NetStates } from "./net/states.ts";
import { type NetPath, NET_PATHS } from "./net/net-paths.ts";
import { LAB_PARTS } from "./measurement/versions.ts";

const TOOLS = ["iperf3", "sockperf"];
/** Pairs of pods and turns of each state, for paths whose states are compared and for others. */
const ROUNDS = { compared: { sets: 5, turns: 16 }, alone: { sets: 2, turns: 6 } } as const;
/** Time in milliseconds for the kernel after a change of rules. */
const SETTLE_MS = 60;

/** Measures the throughput of a TCP connection and the latency of requests in a lab. */
export const runNetBench: Bench = {
  name: "net",
  description:
    "iperf3 throughput and sockperf latency by pod types and nodes: notrack, liberal and without Interlay, in a lab",
  parts: { components: LAB_PARTS, kubeProxies: [KUBE_PROXY.version], tools: TOOLS },
  run: (print) => runOnOtherCpus(() => measureInLab(print)),
};

async function measureInLab(print: (line: string) => void): Promise<readonly Measurement[]> {
  const measure = async (cluster: Cluster, progress: Progress): Promise<readonly Measurement[]> => {
    await ensureDebianPackages(TOOLS, progress);
    const pods = await createBenchPods(cluster, clusterApi(cluster));
    const states = await NetStates.create(cluster);
    return pauseOtherProcesses(cluster, async () => {
      const measurements: Measurement[] = [];
      const report = (rows: readonly Measurement[]) => {
        for (const { name: figure, value, unit } of rows) print(`${figure}: ${value} ${unit}`);
        measurements.push(...rows);
      };
      for (const path of NET_PATHS) report(toMeasurements(path.name, await measurePath(cluster, pods, states, path)));
      report(toOverallMeasurements(measurements));
      return measurements;
    });
  };
  return withBenchLab("net", measure, { INTERLAY_KUBE_PROXY: KUBE_PROXY.version });
}

/** Measures the states alternately with one connection between two pods, then between other pairs of pods. */
async function measurePath(cluster: Cluster, pods: BenchPods, states: NetStates, path: NetPath): Promise<SampleRounds> {
  const { sets, turns } = path.states.includes("baseline-repeat") ? ROUNDS.compared : ROUNDS.alone;
  const stateSamples = path.states.map((state) => ({
    state,
    sample: { stream: createSets(sets), questions: createSets(sets) },
  }));
  for (let set = 0; set < sets; set++) {
    const from = pods.place(path.from, "a", set);
    const to = pods.place(path.to, "b", set);
    const address = path.service ? pods.service(set) : to.address;
    for (const kind of FLOWS) {
      const flow = await Flow.begin(cluster, kind, from, address);
      for (let turn = 0; turn < turns; turn++)
        for (const { state, sample } of stateSamples) {
          await states.enter(state, [from.parts, to.parts]);
          await sleep(SETTLE_MS);
          sample[kind.name][set]?.push(await flow.turn());
        }
      await flow.end();
    }
  }
  return Object.fromEntries(stateSamples.map(({ state, sample }) => [state, sample]));
}

const createSets = (sets: number): number[][] => Array.from({ length: sets }, () => []);
