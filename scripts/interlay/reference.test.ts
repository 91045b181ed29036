import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createProgram } from "./program/program.ts";
import { formatReference } from "./reference-file.ts";
import { VERBS } from "./verbs.ts";

describe("docs/reference/cli.md", () => {
  it("is what npm run generate writes from the commands", async function () {
    this.timeout(60_000);
    const file = join(import.meta.dirname, "..", "..", "docs", "reference", "cli.md");
    assert.equal(
      await readFile(file, "utf8"),
      await formatReference(await createProgram(VERBS), file),
      "npm run generate",
    );
  });
});
