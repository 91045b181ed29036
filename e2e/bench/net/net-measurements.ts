import type { Measurement } from "../measurement/measurement.ts";
import { geometricMean, roundToHundredth, mean } from "../measurement/statistics.ts";
import { type NetState, STATES } from "./states.ts";

/** Interlay may take 3 % of throughput, and add 3 % to the median latency. */
const LIMIT = 1.03;
/** Cost of a state as a ratio; above 1 it is slower. */
const COST = {
  throughput: (state: NetState): string => `throughput without / ${state}`,
  p50: (state: NetState): string => `p50 ${state} / without`,
} as const;
const roundToThousandth = (value: number): number => Math.round(value * 1000) / 1000;

/** Samples of a path in one state: for each pair of pods, the duration of each turn in microseconds. */
interface Sample {
  /** Time for a megabit of a TCP connection at full speed. */
  readonly stream: readonly StateSamples[];
  /** Half the round-trip time of 14 bytes over TCP. */
  readonly questions: readonly StateSamples[];
}
type StateSamples = readonly number[];

/** Samples of a path by state; the n-th set of every state is from the same pods. */
export type SampleRounds = Readonly<Partial<Record<NetState, Sample>>>;

/** Converts samples to absolute values of each state and its cost compared with the state without Interlay. Pure. */
export function toMeasurements(name: string, rounds: SampleRounds): readonly Measurement[] {
  const { without } = rounds;
  const measuredStates = STATES.flatMap((state) => {
    const sample = rounds[state];
    return sample === undefined ? [] : [{ state, ...sample }];
  });
  const values = measuredStates.flatMap(({ state, stream, questions }): readonly Measurement[] => [
    {
      name: `${name}: throughput, ${state}`,
      value: roundToHundredth(1000 / geometricMean(stream.map(meanQuickest))),
      unit: "Gbit/s",
      basis: describeBasis(stream),
    },
    {
      name: `${name}: p50, ${state}`,
      value: roundToHundredth(geometricMean(questions.map(meanQuickest))),
      unit: "µs",
      basis: `half a round trip; ${describeBasis(questions)}`,
    },
  ]);
  if (without === undefined) return values;
  const costs = measuredStates
    .filter(({ state }) => state !== "without")
    .flatMap(({ state, stream, questions }): readonly Measurement[] => [
      toCost(state, name, COST.throughput(state), computeRatio(stream, without.stream)),
      toCost(state, name, COST.p50(state), computeRatio(questions, without.questions)),
    ]);
  return [...values, ...costs];
}

/**
 * Returns the mean of the fastest quarter of turns. Other load, mostly of other virtual machines, makes some turns slower by a
 * quarter at random.
 */
function meanQuickest(turns: StateSamples): number {
  const sorted = [...turns].sort((a, b) => a - b);
  return mean(sorted.slice(0, Math.ceil(sorted.length / 4)));
}

const describeBasis = (sets: readonly StateSamples[]): string =>
  `fastest quarter of ${sets[0]?.length ?? 0} turns' medians, geometric mean of ${sets.length} pairs of pods`;

/** Compares set by set, because pairs of pods differ in speed. */
const computeRatio = (
  sets: readonly StateSamples[],
  peers: readonly StateSamples[],
): Pick<Measurement, "value" | "basis"> => ({
  value: geometricMean(sets.map((turns, set) => meanQuickest(turns) / meanQuickest(peers[set] ?? []))),
  basis: describeBasis(sets),
});

/** Returns the cost of each state over all paths: the geometric mean of their ratios, which reduces random errors. Pure. */
export function toOverallMeasurements(figures: readonly Measurement[]): readonly Measurement[] {
  return STATES.filter((state) => state !== "without").flatMap((state) =>
    [COST.throughput(state), COST.p50(state)].flatMap((title): readonly Measurement[] => {
      const costs = figures.filter(({ name }) => name.endsWith(`: ${title}`));
      if (costs.length === 0) return [];
      const value = geometricMean(costs.map((figure) => figure.value));
      return [toCost(state, "all paths", title, { value, basis: `geometric mean of ${costs.length} paths` })];
    }),
  );
}

function toCost(
  state: NetState,
  kind: string,
  title: string,
  { value, basis }: Pick<Measurement, "value" | "basis">,
): Measurement {
  return {
    name: `${kind}: ${title}`,
    value: roundToThousandth(value),
    unit: "x",
    basis,
    // The repeated baseline shows the noise of the measurement, and has no limit.
    ...(state === "baseline-repeat" ? {} : { limit: LIMIT }),
  };
}
