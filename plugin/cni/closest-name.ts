/** Greatest number of edits for names of at least LONG_NAME letters; shorter names may differ by one edit. */
const MAX_EDITS = 2;
const LONG_NAME = 6;

/**
 * Finds the name that was probably meant. Ignores case; allows MAX_EDITS edits, or one in a short name.
 *
 * @returns undefined if no name is close enough
 */
export function findClosestName(written: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, distance: computeDistance(written.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= (name.length < LONG_NAME ? 1 : MAX_EDITS))
    .sort((a, b) => a.distance - b.distance);
  return best?.name;
}

/** Computes the Levenshtein distance: the number of letters to insert, delete or replace. */
function computeDistance(written: string, name: string): number {
  let row = Array.from({ length: name.length + 1 }, (_, index) => index);
  for (const [i, letter] of Array.from(written).entries()) {
    const next = [i + 1];
    for (const [j, nameLetter] of Array.from(name).entries())
      next.push(Math.min((row[j] ?? 0) + (letter === nameLetter ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    row = next;
  }
  return row.at(-1) ?? 0;
}
