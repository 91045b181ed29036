import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listFiles, ROOT } from "../lint/language.ts";
import { findBrokenAnchors, findMissingPaths, type Page } from "./references.ts";

const page = (text: string, name = "docs/a.md"): Page => ({ name, text });

describe("findBrokenAnchors", () => {
  it("accepts sections of the page and of other pages, and rejects missing ones", () => {
    const other = page("## What's new?\n```\n# not a section\n```\n", "docs/b.md");
    const links = page("[a](#one-two) [b](b.md#whats-new) [c](b.md#not-a-section) [d](#three)\n\n# One `two`\n");
    assert.deepEqual(findBrokenAnchors([links, other]), ["docs/a.md: b.md#not-a-section", "docs/a.md: #three"]);
  });
});

describe("findMissingPaths", () => {
  it("rejects paths in code that do not exist", () => {
    const files = ["plugin/cni/add.ts", "e2e/certify/tamper.test.ts"];
    const text =
      "`plugin/cni/add.ts`, `e2e/certify`, `e2e/certify/tamper*.test.ts`, `plugin/dist/x`\n```\nplugin/cni/b.ts\n```";
    assert.deepEqual(findMissingPaths(page(text), files), ["docs/a.md: plugin/cni/b.ts"]);
  });
});

describe("references in the documentation", () => {
  // The changelog names paths of earlier versions.
  const pages = listFiles("*.md", ":!CHANGELOG.md").map((name) => page(readFileSync(join(ROOT, name), "utf8"), name));

  it("references in the documentation have sections that exist", () => {
    assert.deepEqual(findBrokenAnchors(pages), []);
  });

  it("references in the documentation have paths that exist", () => {
    const files = listFiles();
    assert.ok(files.length > 300, "no files were found");
    assert.deepEqual(
      pages.flatMap((one) => findMissingPaths(one, files)),
      [],
    );
  });
});
