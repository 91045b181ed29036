import type { Figure } from "../figure.ts";
import { hundredth, median } from "../statistics.ts";
import type { Sample } from "./sample.ts";
import { type State, STATES } from "./states.ts";
import type { Way } from "./ways.ts";

/** Interlay may take 3 % of throughput, and add 3 % to the median latency. */
const LIMIT = 1.03;
const thousandth = (value: number): number => Math.round(value * 1000) / 1000;

/** A way's samples, a round each: the n-th of every state were taken one after another. */
export type Rounds = Readonly<Partial<Record<State, readonly Sample[]>>>;

/** Absolute values of each state, and what each costs against the same without Interlay: the median of the rounds' ratios. Pure. */
export function figuresOf({ name, plain }: Pick<Way, "name" | "plain">, rounds: Rounds): readonly Figure[] {
  const basis = (samples: readonly Sample[]) =>
    `${samples.length} rounds in turns, ${samples.reduce((sum, { throughput }) => sum + throughput.length, 0)} transfers`;
  const values = STATES.flatMap((state): readonly Figure[] => {
    const samples = rounds[state];
    if (samples === undefined) return [];
    const speed = median(samples.flatMap(({ throughput }) => throughput));
    const { p50 } = { p50: median(samples.map((one) => one.p50)) };
    return [
      { name: `${name}: throughput, ${state}`, value: hundredth(speed), unit: "Gbit/s", basis: basis(samples) },
      { name: `${name}: p50, ${state}`, value: hundredth(p50), unit: "µs", basis: "half a round trip" },
    ];
  });
  const { without } = rounds;
  if (plain === undefined || without === undefined) return values;
  const costs = (["notrack", "liberal"] as const).flatMap((state): readonly Figure[] => {
    const samples = rounds[state];
    if (samples === undefined) return [];
    const against = (what: string, cost: (one: Sample, plainOne: Sample) => number): Figure => {
      const ratios = samples.flatMap((one, round) => {
        const peer = without[round];
        return peer === undefined ? [] : [cost(one, peer)];
      });
      // How far a round may be off says what a median near the limit is worth.
      const [least, most] = [Math.min(...ratios), Math.max(...ratios)].map(thousandth);
      const of = `median of ${ratios.length} rounds' ratios, ${least} to ${most}`;
      return { name: `${name}: ${what}`, value: thousandth(median(ratios)), unit: "x", limit: LIMIT, basis: of };
    };
    return [
      against(`throughput without / ${state}`, (one, peer) => median(peer.throughput) / median(one.throughput)),
      against(`p50 ${state} / without`, (one, peer) => one.p50 / peer.p50),
    ];
  });
  return [...values, ...costs];
}
