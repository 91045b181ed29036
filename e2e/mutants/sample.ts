import { randomOf } from "../random.ts";

/** As many as INTERLAY_MUTANTS says (all, if it says nothing), the same ones for the same INTERLAY_SEED. Pure. */
export function sample<T>(all: readonly T[], env: NodeJS.ProcessEnv): readonly T[] {
  const wanted = Number(env["INTERLAY_MUTANTS"] ?? all.length);
  const random = randomOf(Number(env["INTERLAY_SEED"] ?? 1));
  return all
    .map((one) => ({ one, key: random() }))
    .sort((a, b) => a.key - b.key)
    .slice(0, wanted)
    .map(({ one }) => one);
}
