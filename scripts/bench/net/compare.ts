import type { Figure } from "../figure.ts";
import { geometricMean, hundredth, interquartileMean, median } from "../statistics.ts";
import type { Sample } from "./sample.ts";
import { type State, STATES } from "./states.ts";
import type { Way } from "./ways.ts";

/** Interlay may take 3 % of throughput, and add 3 % to the median latency. */
const LIMIT = 1.03;
/** What a state costs, above 1 where it costs something. */
const COST = {
  throughput: (state: State): string => `throughput without / ${state}`,
  p50: (state: State): string => `p50 ${state} / without`,
} as const;
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
        ...{ name: `${name}: throughput, ${state}`, value: hundredth(interquartileMean(throughput)), unit: "Gbit/s" },
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
    const { throughput, p50 } = sample;
    const ratios = p50.flatMap((value, set) => {
      const peer = without.p50[set];
      return peer === undefined ? [] : [value / peer];
    });
    return [
      costOf(state, name, COST.throughput(state), {
        value: interquartileMean(without.throughput) / interquartileMean(throughput),
        basis: `interquartile means of ${throughput.length} transfers`,
      }),
      costOf(state, name, COST.p50(state), {
        value: median(ratios),
        basis: `median of ${ratios.length} pairs of connections`,
      }),
    ];
  });
  return [...values, ...costs];
}

/** Of all ways together, for what chance adds to one it takes from another: the geometric mean of their ratios. Pure. */
export function overallOf(figures: readonly Figure[]): readonly Figure[] {
  return STATES.filter((state) => state !== "without").flatMap((state) =>
    [COST.throughput(state), COST.p50(state)].flatMap((what): readonly Figure[] => {
      const its = figures.filter(({ name }) => name.endsWith(`: ${what}`));
      if (its.length === 0) return [];
      const value = geometricMean(its.map((figure) => figure.value));
      return [costOf(state, "all ways", what, { value, basis: `geometric mean of ${its.length} ways` })];
    }),
  );
}

function costOf(state: State, of: string, what: string, { value, basis }: Pick<Figure, "value" | "basis">): Figure {
  return {
    ...{ name: `${of}: ${what}`, value: thousandth(value), unit: "x", basis },
    // The same once more tells what the instrument cannot see, and so has no limit.
    ...(state === "again" ? {} : { limit: LIMIT }),
  };
}
