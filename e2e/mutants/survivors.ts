/** Lines that a cluster may do without, each with the reason why it is there all the same. */
const EXCUSES: readonly (readonly [title: RegExp, excuse: string])[] = [];

/** Undefined: nothing excuses it, so either the line goes or the matrix lacks a cell. */
export function whyItMaySurvive(title: string): string | undefined {
  return EXCUSES.find(([pattern]) => pattern.test(title))?.[1];
}
