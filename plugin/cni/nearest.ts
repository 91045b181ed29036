/** So many letters may be wrong, of so many. */
const WRONG = 2;
const OF = 6;

/** The name that was likely meant: whatever the case, up to two letters wrong (one of a short name). Undefined: none is near. */
export function nearest(written: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, wrong: distance(written.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, wrong }) => wrong <= (name.length < OF ? 1 : WRONG))
    .sort((a, b) => a.wrong - b.wrong);
  return best?.name;
}

/** Levenshtein's: letters to put in, take out or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries())
      next.push(Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    row = next;
  }
  return row.at(-1) ?? 0;
}
