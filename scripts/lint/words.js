/**
 * Words and phrases that comments, strings and pages must not contain, each with what to write instead.
 *
 * @type {readonly { readonly pattern: RegExp; readonly instead: string }[]}
 */
export const BANNED = [
  { pattern: /\banew\b/i, instead: "again, recreate" },
  { pattern: /\bbeside\b/i, instead: "next to, in addition to" },
  { pattern: /\bwhoever\b|\bwhomever\b/i, instead: "the caller, clients" },
  { pattern: /\b(?:tells?|told) (?!apart)/i, instead: "the exact verb: report, log, return, print" },
  { pattern: /\btold\b/i, instead: "reported, logged" },
  { pattern: /\b(?:is|are) no (?!longer\b|more than\b)/i, instead: "is not a valid …, does not exist" },
  { pattern: /\bthat (?:is|are) there\b/i, instead: "existing" },
  { pattern: /\b(?:duty|duties)\b/i, instead: "task, reconciler" },
  { pattern: /\bdoors?\b/i, instead: "launcher" },
  { pattern: /\bwishes\b/i, instead: "options" },
  { pattern: /\bgive ?backs?\b|\bgivebacks?\b/i, instead: "release" },
  { pattern: /\bdirt\b/i, instead: "stale state" },
  { pattern: /\bso long as\b|\bso many\b|\bso often\b/i, instead: "as long as, N, up to" },
  { pattern: /\bby lot\b/i, instead: "at random" },
];

/**
 * Finds the first banned word of a text.
 *
 * @param {string} text
 * @returns {{ readonly index: number; readonly word: string; readonly instead: string } | undefined}
 */
export function findBannedWord(text) {
  for (const { pattern, instead } of BANNED) {
    const found = pattern.exec(text);
    if (found !== null) return { index: found.index, word: found[0].trim(), instead };
  }
  return undefined;
}
