import { createRandom } from "../support/random.ts";

/** Whether INTERLAY_MUTANTS asks for fewer than all. */
export const isSampled = (env: NodeJS.ProcessEnv): boolean => env["INTERLAY_MUTANTS"] !== undefined;

/**
 * As many as INTERLAY_MUTANTS says (all, if it says nothing), the same ones for the same INTERLAY_SEED; a `share` of them where
 * one takes longer. Pure.
 */
export function sampleMutants<T>(all: readonly T[], env: NodeJS.ProcessEnv, share = 1): readonly T[] {
  const asked = env["INTERLAY_MUTANTS"];
  const wanted = asked === undefined ? all.length : Math.ceil(Number(asked) * share);
  const random = createRandom(Number(env["INTERLAY_SEED"] ?? 1));
  return all
    .map((one) => ({ one, key: random() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, wanted)
    .map(({ one }) => one);
}
