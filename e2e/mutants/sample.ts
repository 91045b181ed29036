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

/** mulberry32: the same row of numbers in [0, 1) for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
