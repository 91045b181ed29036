import { setTimeout as sleep } from "node:timers/promises";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { createPlainProgress } from "../../clusters/progress-plain.ts";
import type { Cluster } from "../../clusters/provider.ts";
import { loadProvider } from "../../clusters/providers.ts";
import { clusterApi } from "../support/cluster-api.ts";
import { buildClusterSpec } from "../support/cluster-spec.ts";
import { parseRunOptions } from "../support/options.ts";
import type { Bench, Measurement } from "./measurement.ts";
import { toMeasurements, toOverallMeasurements, type SampleRounds } from "./net/compare.ts";
import { Flow, FLOWS } from "./net/flow.ts";
import { type BenchPods, createBenchPods } from "./net/pods.ts";
import { moveOthersAside } from "./net/cpu-pinning.ts";
import { pauseOtherProcesses } from "./net/pause-others.ts";
import { KUBE_PROXY, NetStates } from "./net/states.ts";
import { type NetPath, NET_PATHS } from "./net/paths.ts";
import { LAB_PARTS } from "./versions.ts";

const TOOLS = ["iperf3", "sockperf"];
/** Pairs of pods, and turns of each state between each, where states are compared and where not. */
const ROUNDS = { compared: { sets: 5, turns: 16 }, alone: { sets: 2, turns: 6 } } as const;
/** The kernel clears up after a change of rules. Milliseconds. */
const SETTLED = 60;

/** One TCP connection's throughput and the latency of questions, in a lab. */
export const runNetBench: Bench = {
  name: "net",
  about:
    "iperf3 throughput and sockperf latency by pod types and nodes: notrack, liberal and without Interlay, in a lab",
  takingPart: { components: LAB_PARTS, kubeProxies: [KUBE_PROXY.version], tools: TOOLS },
  run: (say) => moveOthersAside(() => inLab(say)),
};

async function inLab(say: (line: string) => void): Promise<readonly Measurement[]> {
  const provider = await loadProvider("lab");
  const name = process.env["INTERLAY_CLUSTER"] ?? "bench-net";
  const spec = await buildClusterSpec(
    parseRunOptions({ INTERLAY_PROVIDER: "lab", INTERLAY_CLUSTER: name, INTERLAY_KUBE_PROXY: KUBE_PROXY.version }),
  );
  const missing = (await provider.preflight(spec)).find(({ severity }) => severity === "error");
  if (missing !== undefined) throw new Error(missing.message);
  const progress = createPlainProgress();
  try {
    await ensureDebianPackages(TOOLS, progress);
    const cluster = await provider.up(spec, progress);
    const pods = await createBenchPods(cluster, clusterApi(cluster));
    const states = await NetStates.of(cluster);
    return await pauseOtherProcesses(cluster, async () => {
      const figures: Measurement[] = [];
      const tell = (of: readonly Measurement[]) => {
        for (const { name: figure, value, unit } of of) say(`${figure}: ${value} ${unit}`);
        figures.push(...of);
      };
      for (const way of NET_PATHS) tell(toMeasurements(way.name, await roundsOf(cluster, pods, states, way)));
      tell(toOverallMeasurements(figures));
      return figures;
    });
  } finally {
    await provider.down(name, progress);
  }
}

/** Each state's turns, round and round between the same two pods by the same connection; then between others. */
async function roundsOf(cluster: Cluster, pods: BenchPods, states: NetStates, way: NetPath): Promise<SampleRounds> {
  const { sets, turns } = way.states.includes("again") ? ROUNDS.compared : ROUNDS.alone;
  const taken = way.states.map((state) => ({ state, sample: { stream: newSets(sets), questions: newSets(sets) } }));
  for (let set = 0; set < sets; set++) {
    const from = pods.place(way.from, "a", set);
    const to = pods.place(way.to, "b", set);
    const address = way.service ? pods.service(set) : to.address;
    for (const kind of FLOWS) {
      const flow = await Flow.begin(cluster, kind, from, address);
      for (let turn = 0; turn < turns; turn++)
        for (const { state, sample } of taken) {
          await states.enter(state, [from.parts, to.parts]);
          await sleep(SETTLED);
          sample[kind.name][set]?.push(await flow.turn());
        }
      await flow.end();
    }
  }
  return Object.fromEntries(taken.map(({ state, sample }) => [state, sample]));
}

const newSets = (sets: number): number[][] => Array.from({ length: sets }, () => []);
