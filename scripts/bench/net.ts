import { setTimeout as sleep } from "node:timers/promises";
import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { plainProgress } from "../../clusters/progress-plain.ts";
import type { Cluster } from "../../clusters/provider.ts";
import { providerNamed } from "../../clusters/providers.ts";
import { clusterApi } from "../../e2e/cluster-api.ts";
import { runOptions, specFor } from "../../e2e/context.ts";
import type { Bench, Figure } from "./figure.ts";
import { figuresOf, overallOf, type Rounds } from "./net/compare.ts";
import { type BenchPods, makePods, questionPort } from "./net/pods.ts";
import { Questions, transfer } from "./net/sample.ts";
import { isBare, KUBE_PROXY, STATES, States } from "./net/states.ts";
import { type Way, WAYS } from "./net/ways.ts";
import { LAB } from "./versions.ts";

const TOOLS = ["iperf3", "sockperf"];
/** Sets of connections, and turns of each, of what has a peer and of what has none. */
const ROUNDS = { compared: { sets: 5, turns: 5 }, alone: { sets: 1, turns: 4 } } as const;

/** In each turn. */
const TRANSFERS = 4;
/** Felix looks at the nodes' rules when they change. Milliseconds. */
const SETTLED = 150;

/** One TCP connection's throughput and the latency of questions, in a lab. */
export const netBench: Bench = {
  name: "net",
  about:
    "iperf3 throughput and sockperf latency by pod types and nodes: notrack, liberal and without Interlay, in a lab",
  takingPart: { components: LAB, kubeProxies: [KUBE_PROXY.version], tools: TOOLS },
  run: async (say) => {
    const provider = await providerNamed("lab");
    const name = process.env["INTERLAY_CLUSTER"] ?? "bench-net";
    const spec = await specFor(
      runOptions({ INTERLAY_PROVIDER: "lab", INTERLAY_CLUSTER: name, INTERLAY_KUBE_PROXY: KUBE_PROXY.version }),
    );
    const missing = (await provider.preflight(spec)).find(({ severity }) => severity === "error");
    if (missing !== undefined) throw new Error(missing.message);
    const progress = plainProgress();
    try {
      await ensureDebianPackages(TOOLS, progress);
      const cluster = await provider.up(spec, progress);
      const pods = await makePods(cluster, clusterApi(cluster));
      const states = await States.of(cluster);
      const figures: Figure[] = [];
      for (const way of WAYS) {
        const rounds = await roundsOf(cluster, pods, states, way);
        const of = figuresOf(way, rounds);
        for (const { name: figure, value, unit } of of) say(`${figure}: ${value} ${unit}`);
        figures.push(...of);
      }
      const all = overallOf(figures);
      for (const { name: figure, value, unit } of all) say(`${figure}: ${value} ${unit}`);
      return [...figures, ...all];
    } finally {
      await provider.down(name, progress);
    }
  },
};

/**
 * Each state's transfers and questions, in turns of some hundred milliseconds. A pod, a server and a connection is faster
 * or slower than its twin: so there are many sets of them, and `again` has never the pods that `without` has.
 */
async function roundsOf(cluster: Cluster, pods: BenchPods, states: States, way: Way): Promise<Rounds> {
  const { plain, service } = way;
  const taken = STATES.flatMap((state) => {
    const ends = isBare(state) ? plain : way;
    const sample = { throughput: new Array<number>(), p50: new Array<number>() };
    return ends === undefined ? [] : [{ state, ends, sample }];
  });
  const { sets, turns } = plain === undefined ? ROUNDS.alone : ROUNDS.compared;
  for (let set = 0; set < sets; set++) {
    const asking = await Promise.all(
      taken.map(async ({ state, ends, sample }, index) => {
        const twin = state === "again" ? set + 1 : set;
        const from = pods.place(ends.from, "a", twin);
        const address = service ? pods.service(twin) : pods.place(ends.to, "b", twin).address;
        const questions = await Questions.begin(cluster, from, address, questionPort(index + set));
        return { state, from, address, sample, questions };
      }),
    );
    for (let turn = 0; turn < turns; turn++)
      for (const { state, from, address, questions, sample } of turned(asking, set + turn)) {
        await states.enter(state);
        await sleep(SETTLED);
        for (let n = 0; n < TRANSFERS; n++) sample.throughput.push(await transfer(cluster, from, address));
        await questions.turn();
      }
    for (const { questions, sample } of asking) sample.p50.push(await questions.end());
  }
  return Object.fromEntries(taken.map(({ state, sample }) => [state, sample]));
}

/** Whoever is first in one round is last in the next: neither has a place of its own. */
function turned<T>(list: readonly T[], round: number): readonly T[] {
  const by = round % list.length;
  return [...list.slice(by), ...list.slice(0, by)];
}
