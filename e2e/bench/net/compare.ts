import type { Measurement } from "../measurement.ts";
import { geometricMean, roundToHundredth, mean } from "../statistics.ts";
import { type NetState, STATES } from "./states.ts";

/** Interlay may take 3 % of throughput, and add 3 % to the median latency. */
const LIMIT = 1.03;
/** What a state costs, above 1 where it costs something. */
const COST = {
  throughput: (state: NetState): string => `throughput without / ${state}`,
  p50: (state: NetState): string => `p50 ${state} / without`,
} as const;
const thousandth = (value: number): number => Math.round(value * 1000) / 1000;

/** What was taken of a way in one state: of each set of pods, how long each turn's work took, in microseconds. */
interface Sample {
  /** A megabit of one TCP connection that sends as fast as it can. */
  readonly stream: readonly StateSamples[];
  /** Half a round trip of 14 bytes over TCP. */
  readonly questions: readonly StateSamples[];
}
type StateSamples = readonly number[];

/** A way's samples: the n-th set of every state was taken from the same pods, in turns. */
export type SampleRounds = Readonly<Partial<Record<NetState, Sample>>>;

/** Absolute values of each state, and what each costs against the same without Interlay. Pure. */
export function toMeasurements(name: string, rounds: SampleRounds): readonly Measurement[] {
  const { without } = rounds;
  const taken = STATES.flatMap((state) => {
    const sample = rounds[state];
    return sample === undefined ? [] : [{ state, ...sample }];
  });
  const values = taken.flatMap(({ state, stream, questions }): readonly Measurement[] => [
    {
      name: `${name}: throughput, ${state}`,
      value: roundToHundredth(1000 / geometricMean(stream.map(quick))),
      unit: "Gbit/s",
      basis: basisOf(stream),
    },
    {
      name: `${name}: p50, ${state}`,
      value: roundToHundredth(geometricMean(questions.map(quick))),
      unit: "µs",
      basis: `half a round trip; ${basisOf(questions)}`,
    },
  ]);
  if (without === undefined) return values;
  const costs = taken
    .filter(({ state }) => state !== "without")
    .flatMap(({ state, stream, questions }): readonly Measurement[] => [
      costOf(state, name, COST.throughput(state), ratioOf(stream, without.stream)),
      costOf(state, name, COST.p50(state), ratioOf(questions, without.questions)),
    ]);
  return [...values, ...costs];
}

/**
 * The mean of the quickest quarter. A turn takes what it takes, or a quarter more where something else has the computer for a
 * while: a neighbour of the virtual machine's, mostly. How often that was in which state is chance.
 */
function quick(turns: StateSamples): number {
  const sorted = [...turns].sort((a, b) => a - b);
  return mean(sorted.slice(0, Math.ceil(sorted.length / 4)));
}

const basisOf = (sets: readonly StateSamples[]): string =>
  `quickest quarter of ${sets[0]?.length ?? 0} turns' medians, geometric mean of ${sets.length} pairs of pods`;

/** Set by set, as other pods are faster or slower. */
const ratioOf = (
  sets: readonly StateSamples[],
  peers: readonly StateSamples[],
): Pick<Measurement, "value" | "basis"> => ({
  value: geometricMean(sets.map((turns, set) => quick(turns) / quick(peers[set] ?? []))),
  basis: basisOf(sets),
});

/** Of all ways together, for what chance adds to one it takes from another: the geometric mean of their ratios. Pure. */
export function toOverallMeasurements(figures: readonly Measurement[]): readonly Measurement[] {
  return STATES.filter((state) => state !== "without").flatMap((state) =>
    [COST.throughput(state), COST.p50(state)].flatMap((what): readonly Measurement[] => {
      const its = figures.filter(({ name }) => name.endsWith(`: ${what}`));
      if (its.length === 0) return [];
      const value = geometricMean(its.map((figure) => figure.value));
      return [costOf(state, "all ways", what, { value, basis: `geometric mean of ${its.length} ways` })];
    }),
  );
}

function costOf(
  state: NetState,
  of: string,
  what: string,
  { value, basis }: Pick<Measurement, "value" | "basis">,
): Measurement {
  return {
    name: `${of}: ${what}`,
    value: thousandth(value),
    unit: "x",
    basis,
    // The repeated baseline shows the noise of the measurement, and has no limit.
    ...(state === "again" ? {} : { limit: LIMIT }),
  };
}
