import type { MutantOptions } from "../support/run-options.ts";
import { createRandom } from "../support/random.ts";

/**
 * Returns a random sample of mutants, the same for the same seed. Pure.
 * @param share part of `count` to take, where each mutant takes long
 */
export function sampleMutants<T>(mutants: readonly T[], { count, seed }: MutantOptions, share = 1): readonly T[] {
  const sampleSize = count === undefined ? mutants.length : Math.ceil(count * share);
  const random = createRandom(seed);
  return mutants
    .map((mutant) => ({ mutant, key: random() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, sampleSize)
    .map(({ mutant }) => mutant);
}
