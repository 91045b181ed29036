/** A word or phrase that must not be used, and what to write instead. */
interface BannedWord {
  readonly pattern: RegExp;
  readonly instead: string;
  /** Texts that the pattern matches. */
  readonly examples: readonly string[];
}

/** The words and phrases of banned-words.json. */
export declare const BANNED: readonly BannedWord[];

/** Finds the first banned word of a text. */
export declare function findBannedWord(
  text: string,
): { readonly index: number; readonly word: string; readonly instead: string } | undefined;
