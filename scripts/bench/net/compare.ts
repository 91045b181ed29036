import type { Figure } from "../figure.ts";
import { hundredth, median, medianBetween } from "../statistics.ts";
import type { Sample } from "./sample.ts";
import { type State, STATES } from "./states.ts";
import type { Way } from "./ways.ts";

/** Interlay may take 3 % of throughput, and add 3 % to the median latency. */
const LIMIT = 1.03;
const thousandth = (value: number): number => Math.round(value * 1000) / 1000;

/** A way's samples: the n-th of every state were taken one after another, in turns. */
export type Rounds = Readonly<Partial<Record<State, Sample>>>;

/** Absolute values of each state, and what each costs against the same without Interlay. Pure. */
export function figuresOf({ name, plain }: Pick<Way, "name" | "plain">, rounds: Rounds): readonly Figure[] {
  const values = STATES.flatMap((state): readonly Figure[] => {
    const sample = rounds[state];
    if (sample === undefined) return [];
    const { throughput, p50 } = sample;
    const transfers = `${throughput.length} transfers, in turns with the other states`;
    const connections = `half a round trip; median of ${p50.length} connections' medians`;
    return [
      {
        ...{ name: `${name}: throughput, ${state}`, value: hundredth(median(throughput)), unit: "Gbit/s" },
        basis: transfers,
      },
      { name: `${name}: p50, ${state}`, value: hundredth(median(p50)), unit: "µs", basis: connections },
    ];
  });
  const { without } = rounds;
  if (plain === undefined || without === undefined) return values;
  const costs = STATES.flatMap((state): readonly Figure[] => {
    const sample = rounds[state];
    if (state === "without" || sample === undefined) return [];
    const against = (what: string, ratios: readonly number[]): Figure => ({
      ...{ name: `${name}: ${what}`, value: thousandth(median(ratios)), unit: "x" },
      // The same once more tells what the instrument cannot see, and so has no limit.
      ...(state === "again" ? {} : { limit: LIMIT }),
      basis: `median of ${ratios.length} rounds' ratios, 95 % between ${medianBetween(ratios).map(thousandth).join(" and ")}`,
    });
    return [
      against(`throughput without / ${state}`, ratiosOf(without.throughput, sample.throughput)),
      against(`p50 ${state} / without`, ratiosOf(sample.p50, without.p50)),
    ];
  });
  return [...values, ...costs];
}

/** Of what was taken one after another. */
const ratiosOf = (over: readonly number[], under: readonly number[]): readonly number[] =>
  over.flatMap((value, round) => {
    const peer = under[round];
    return peer === undefined ? [] : [value / peer];
  });
