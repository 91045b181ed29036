import { readFileSync } from "node:fs";

/**
 * Words and phrases that comments, strings and pages must not contain, from banned-words.json.
 *
 * @type {readonly { readonly pattern: RegExp; readonly instead: string; readonly examples: readonly string[] }[]}
 */
export const BANNED = JSON.parse(readFileSync(new URL("banned-words.json", import.meta.url), "utf8")).map(
  ({ pattern, instead, examples }) => ({ pattern: new RegExp(pattern, "i"), instead, examples }),
);

/**
 * Finds the first banned word of a text.
 *
 * @param {string} text
 * @returns {{ readonly index: number; readonly word: string; readonly instead: string } | undefined}
 */
export function findBannedWord(text) {
  for (const { pattern, instead } of BANNED) {
    const match = pattern.exec(text);
    if (match !== null) return { index: match.index, word: match[0].trim(), instead };
  }
  return undefined;
}
