import { quantile } from "simple-statistics";

export { geometricMean, mean, median } from "simple-statistics";

/**
 * Returns a percentile, interpolated between two samples.
 * @param share 0 to 1
 * @throws without samples
 */
export function computePercentile(samples: readonly number[], share: number): number {
  return quantile([...samples], share);
}

/** Rounds to a tenth, the precision of most measurements. */
export const roundToTenth = (value: number): number => Math.round(value * 10) / 10;
export const roundToHundredth = (value: number): number => Math.round(value * 100) / 100;
export const roundToThousandth = (value: number): number => Math.round(value * 1000) / 1000;
export const toMegabytes = (bytes: number): number => roundToTenth(bytes / 1e6);
