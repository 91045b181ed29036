import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { formatApiReference } from "./api-reference.ts";

const FILE = join(import.meta.dirname, "..", "..", "docs", "reference", "api.md");

describe("docs/reference/api.md", () => {
  it("is what `npm run generate` writes", async () => {
    assert.equal(readFileSync(FILE, "utf8"), await formatApiReference(FILE), "run npm run generate");
  });

  it("has a description of every field of a spec", async () => {
    const undescribed = [...(await formatApiReference(FILE)).matchAll(/^\| `(spec\.[^`]+)` +\| [^|]+\| +\|$/gm)];
    assert.deepEqual(
      undescribed.map(([, field]) => field),
      [],
    );
  });
});
