/** A word or phrase that must not be used, and what to write instead. */
export interface BannedWord {
  readonly pattern: RegExp;
  readonly instead: string;
}

export declare const BANNED: readonly BannedWord[];

/** Finds the first banned word of a text. */
export declare function findBannedWord(
  text: string,
): { readonly index: number; readonly word: string; readonly instead: string } | undefined;
