/** A fenced block of code in a page. */
interface CodeBlock {
  readonly language: string;
  /** Text without the indentation of the list that the block belongs to. */
  readonly text: string;
}

/** Parses the fenced blocks of a Markdown page, in their order. */
export function parseCodeBlocks(page: string): readonly CodeBlock[] {
  return [...page.matchAll(/^( *)```(\w+)\n([^]*?)^ *```$/gm)].map(
    ([, indentation = "", language = "", text = ""]) => ({
      language,
      text: text.replaceAll(new RegExp(`^${indentation}`, "gm"), ""),
    }),
  );
}

/** The blocks of a page that a spec runs or applies, and those that it has not used yet. */
export class DocumentedBlocks {
  readonly #blocks: readonly CodeBlock[];
  readonly #used = new Set<CodeBlock>();

  constructor(page: string) {
    this.#blocks = parseCodeBlocks(page);
  }

  /**
   * Returns the text of the block whose first line begins with `start`, with values for its placeholders (REPOSITORY, TAG, …).
   * @throws an error unless exactly one block begins with it
   */
  read(start: string, values: Readonly<Record<string, string>> = {}): string {
    const matchingBlocks = this.#blocks.filter(({ text }) => text.startsWith(start));
    const [block] = matchingBlocks;
    if (block === undefined || matchingBlocks.length > 1)
      throw new Error(`${matchingBlocks.length} blocks of the page begin with "${start}": one was expected`);
    this.#used.add(block);
    return block.text.replaceAll(/\b[A-Z]{3,}\b/g, (name) => values[name] ?? name);
  }

  /** Returns the first lines of the blocks that were not read. */
  listUnused(): readonly string[] {
    return this.#blocks.filter((block) => !this.#used.has(block)).map(({ text }) => text.split("\n", 1)[0] ?? "");
  }
}
