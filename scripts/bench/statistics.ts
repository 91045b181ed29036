/** The value that `share` (0 to 1) of the samples do not exceed: nearest rank. Throws on no samples. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new Error("there are no samples to take a percentile of");
  return value;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/**
 * Where the median that the samples are drawn from lies in 95 of 100 cases, whatever their distribution: order
 * statistics by the normal approximation of the binomial (ISO 16269-7). All samples, where they are too few for that.
 */
export function medianBetween(samples: readonly number[]): readonly [low: number, high: number] {
  const apart = 1.96 / (2 * Math.sqrt(samples.length)) + 1 / samples.length;
  return [percentile(samples, 0.5 - apart), percentile(samples, Math.min(1, 0.5 + apart))];
}

/** To a tenth: what is measured is not finer. */
export const tenth = (value: number): number => Math.round(value * 10) / 10;
export const hundredth = (value: number): number => Math.round(value * 100) / 100;
