import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Linter } from "eslint";
import plugin from "./plugin.js";
import { BANNED } from "./words.js";
import {
  findDocstringProblems,
  findDuplicateExports,
  findGlossaryProblems,
  findPageProblems,
  findSubjectProblems,
  listFiles,
  readGlossary,
  readSubjects,
  ROOT,
} from "./language.ts";

const readFile = (name: string): string => readFileSync(join(ROOT, name), "utf8");
const lint = (code: string): readonly string[] =>
  new Linter()
    .verify(code, [
      {
        plugins: { interlay: plugin },
        rules: { "interlay/no-banned-words": "error", "interlay/verb-noun-function": "error" },
      },
    ])
    .map(({ message }) => message);

describe("the language check", () => {
  const examples = BANNED.flatMap((word) => word.examples);

  it("has at least one example for each banned word", () => {
    assert.ok(BANNED.length > 10 && BANNED.every((word) => word.examples.length > 0));
  });

  for (const example of examples)
    it(`rejects "${example}" in comments, strings, templates and pages`, () => {
      assert.equal(lint(`/** ${example} */ export const value = 1;`).length, 1);
      assert.equal(lint(`throw new Error("x: ${example}");`).length, 1);
      assert.equal(lint(`const text = \`x: ${example}\`;`).length, 1);
      assert.equal(findPageProblems("a.md", example).length, 1);
    });

  it("accepts banned words as identifiers, as strings of one word, and in code of pages", () => {
    const words = examples.filter((example) => /^\w+$/.test(example));
    assert.ok(words.length > 1, "no example of one word");
    for (const word of words) {
      assert.deepEqual(lint(`const ${word} = ["${word}"];`), []);
      assert.deepEqual(findPageProblems("a.md", `\`${word}\` is a name.\n\`\`\`\n${word}\n\`\`\`\n`), []);
    }
    assert.deepEqual(lint("/** It is no longer used, and there is no more than one. */ export const value = 1;"), []);
  });

  it("rejects exported functions with a one-word name", () => {
    assert.equal(lint("export function goes() {}").length, 1);
    assert.equal(lint("export const goes = () => 1;").length, 1);
    assert.deepEqual(lint("export function parsePool() {} function goes() {} export const on = 1;"), []);
  });

  it("rejects long commit subjects", () => {
    assert.equal(findSubjectProblems(["x".repeat(73), "Fix it.", "Fix the pool parser"]).length, 2);
  });

  it("rejects two files that export the same name", () => {
    const text = "export interface World {}\nexport async function readWorld() {}\n";
    const files = ["a.ts", "b.ts"].map((name) => ({ name, text }));
    assert.equal(findDuplicateExports(files).length, 2);
  });

  it("accepts a schema and its type of one name", () => {
    const text = "export const world = schema;\nexport type world = string;\n";
    assert.deepEqual(findDuplicateExports([{ name: "a.ts", text }]), []);
  });

  it("rejects a docstring that begins with What", () => {
    const text = "/** What" + " a cell probes. */\n/**\n * What" + " it does.\n */\n// What else\n/** The words. */";
    assert.equal(findDocstringProblems([{ name: "a.ts", text }]).length, 2);
  });

  it("rejects a glossary term that is not used", () => {
    assert.equal(findGlossaryProblems(["cell", "warp core"], "a cell of the matrix").length, 1);
  });
});

describe("the project's language", () => {
  it("has pages without banned words", () => {
    const pages = listFiles("*.md");
    assert.ok(pages.length > 5, "no pages were found");
    assert.deepEqual(
      pages.flatMap((name) => findPageProblems(name, readFile(name))),
      [],
    );
  });

  it("has exports of different names", () => {
    const files = listFiles("*.ts").map((name) => ({ name, text: readFile(name) }));
    assert.ok(files.length > 300, "no source files were found");
    assert.deepEqual(findDuplicateExports(files), []);
  });

  it("has docstrings that begin with a noun or a verb", () => {
    assert.deepEqual(findDocstringProblems(listFiles("*.ts").map((name) => ({ name, text: readFile(name) }))), []);
  });

  it("has commit subjects of at most 72 characters", () => {
    assert.deepEqual(findSubjectProblems(readSubjects()), []);
  });

  it("has a glossary whose terms are used", () => {
    const terms = readGlossary();
    const corpus = listFiles("*.ts", "docs/*.md", "README.md", ":!docs/glossary.md").map(readFile).join("\n");
    assert.ok(terms.length > 10, "no terms were found");
    assert.deepEqual(findGlossaryProblems(terms, corpus), []);
  });
});
