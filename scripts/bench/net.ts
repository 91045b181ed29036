import { ensureDebianPackages } from "../../clusters/components/packages.ts";
import { plainProgress } from "../../clusters/progress-plain.ts";
import { providerNamed } from "../../clusters/providers.ts";
import { clusterApi } from "../../e2e/cluster-api.ts";
import { runOptions, specFor } from "../../e2e/context.ts";
import type { Bench, Figure } from "./figure.ts";
import { figuresOf } from "./net/compare.ts";
import { makePods } from "./net/pods.ts";
import { type Sample, sample } from "./net/sample.ts";
import { KUBE_PROXY, type State, STATES, States } from "./net/states.ts";
import { WAYS } from "./net/ways.ts";
import { LAB } from "./versions.ts";

const TOOLS = ["iperf3", "sockperf"];
/** Rounds of what has a peer, and of what has none. */
const ROUNDS = { compared: 7, alone: 2 } as const;

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
        const taken: Record<State, Sample[]> = { without: [], notrack: [], liberal: [] };
        const its = STATES.filter((state) => state !== "without" || way.plain !== undefined);
        const rounds = way.plain === undefined ? ROUNDS.alone : ROUNDS.compared;
        for (let round = 0; round < rounds; round++)
          for (const state of turned(its, round)) {
            await states.enter(state);
            const { from, to } = (state === "without" ? way.plain : undefined) ?? way;
            const address = way.service ? pods.service : pods.place(to, "b").address;
            taken[state].push(await sample(cluster, pods.place(from, "a"), address));
          }
        const of = figuresOf(way, Object.fromEntries(its.map((state) => [state, taken[state]])));
        for (const { name: figure, value, unit } of of) say(`${figure}: ${value} ${unit}`);
        figures.push(...of);
      }
      return figures;
    } finally {
      await provider.down(name, progress);
    }
  },
};

/** Whoever is first in one round is last in the next: neither has a place of its own. */
function turned<T>(list: readonly T[], round: number): readonly T[] {
  const by = round % list.length;
  return [...list.slice(by), ...list.slice(0, by)];
}
