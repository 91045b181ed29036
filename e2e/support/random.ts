/** Returns a generator of numbers in [0, 1), the same sequence for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns a random element. @throws an error if there is none */
export function pickRandom<T>(elements: readonly T[], random: () => number): T {
  const element = elements[Math.floor(random() * elements.length)];
  if (element === undefined) throw new Error("cannot choose from an empty list");
  return element;
}
