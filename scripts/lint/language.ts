import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { findBannedWord } from "./words.js";

/** Language checks that need more than one file: pages, exported type names, commit subjects, the glossary. */

export const ROOT = join(import.meta.dirname, "..", "..");
const SUBJECT_LENGTH = 72;
/** Commits before this rule have longer subjects. */
const SUBJECTS_SINCE = "2026-11-29T16:00:00Z";
const GLOSSARY_LENGTH = 25;

/**
 * Lists the tracked files that a Git pathspec selects.
 *
 * @throws if the project is not a Git checkout
 */
export function listFiles(...pathspec: readonly string[]): readonly string[] {
  const output = execFileSync("git", ["ls-files", "-z", "--", ...pathspec], { cwd: ROOT, encoding: "utf8" });
  return output.split("\0").filter((name) => name !== "");
}

/** Reports the first banned word of each line of a page; code blocks and inline code are ignored. */
export function findPageProblems(name: string, text: string): readonly string[] {
  let isCode = false;
  return text.split("\n").flatMap((line, index) => {
    if (/^\s*```/.test(line)) isCode = !isCode;
    const bannedWord = isCode ? undefined : findBannedWord(line.replaceAll(/`[^`]*`/g, ""));
    return bannedWord === undefined ? [] : [`${name}:${index + 1}: "${bannedWord.word}": write ${bannedWord.instead}`];
  });
}

/** Matches an exported declaration. */
const EXPORT = /^export (?:async |abstract )?(?:interface|type|class|function|const) (\w+)/gm;
/** The function that every file of specs exports. */
const SPECS_FUNCTION = "registerSpecs";

/** Reports exports that have the name of an export of another file. */
export function findDuplicateExports(
  files: readonly { readonly name: string; readonly text: string }[],
): readonly string[] {
  const places = new Map<string, Set<string>>();
  for (const { name, text } of files)
    for (const [, exportName = ""] of text.matchAll(EXPORT))
      places.set(exportName, (places.get(exportName) ?? new Set()).add(name));
  places.delete(SPECS_FUNCTION);
  return [...places]
    .filter(([, names]) => names.size > 1)
    .map(
      ([exportName, names]) => `${exportName} is exported by ${[...names].join(" and ")}: give each a name of its own`,
    );
}

/** Reports docstrings that begin with "What": they should begin with a noun or a verb. */
export function findDocstringProblems(
  files: readonly { readonly name: string; readonly text: string }[],
): readonly string[] {
  return files.flatMap(({ name, text }) =>
    [...text.matchAll(/\/\*\*(?:\n\s*\*)? (What [^\n]*)/g)].map(
      ([, line = ""]) => `${name}: docstring "${line}": begin with a noun, like "Target of a probe"`,
    ),
  );
}

/** Reports commit subjects that are too long, or end with a full stop. */
export function findSubjectProblems(subjects: readonly string[]): readonly string[] {
  return subjects.flatMap((subject) => {
    if (subject.length > SUBJECT_LENGTH)
      return [`commit subject of ${subject.length} characters (at most ${SUBJECT_LENGTH}): ${subject}`];
    return subject.endsWith(".") ? [`commit subject ends with a full stop: ${subject}`] : [];
  });
}

/** Returns the subjects of the commits that the rule applies to; none outside a Git checkout. */
export function readSubjects(): readonly string[] {
  try {
    const output = execFileSync("git", ["log", "--no-merges", `--since=${SUBJECTS_SINCE}`, "--format=%s"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output.split("\n").filter((line) => line !== "");
  } catch {
    return [];
  }
}

/** Returns the terms of docs/glossary.md. */
export function readGlossary(text = readFileSync(join(ROOT, "docs", "glossary.md"), "utf8")): readonly string[] {
  return [...text.matchAll(/^\| ([a-z][\w -]*?) +\|/gim)]
    .map(([, term = ""]) => term)
    .filter((term) => term !== "term");
}

/** Reports a glossary that is too long, and terms that no other page or source file uses. */
export function findGlossaryProblems(terms: readonly string[], corpus: string): readonly string[] {
  const text = corpus.toLowerCase();
  return [
    ...(terms.length > GLOSSARY_LENGTH
      ? [`docs/glossary.md has ${terms.length} terms: at most ${GLOSSARY_LENGTH}`]
      : []),
    ...terms.filter((term) => !text.includes(term.toLowerCase())).map((term) => `glossary term "${term}" is not used`),
  ];
}
