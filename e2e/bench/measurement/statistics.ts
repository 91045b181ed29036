/**
 * Returns a percentile by the nearest-rank method.
 * @param share 0 to 1
 * @throws without samples
 */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error("cannot compute a percentile of no samples");
  return value;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

export const mean = (samples: readonly number[]): number =>
  samples.reduce((sum, value) => sum + value, 0) / samples.length;

export const geometricMean = (samples: readonly number[]): number =>
  Math.exp(mean(samples.map((value) => Math.log(value))));

/** Rounds to a tenth, the precision of most measurements. */
export const roundToTenth = (value: number): number => Math.round(value * 10) / 10;
export const roundToHundredth = (value: number): number => Math.round(value * 100) / 100;
