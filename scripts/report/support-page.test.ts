import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { formatSupportPage, SUPPORT_PAGE } from "./support-page.ts";

describe("docs/support.md", () => {
  it("has the recorded results of results/support.json", async () => {
    assert.equal(await readFile(SUPPORT_PAGE, "utf8"), await formatSupportPage(), "run npm run generate");
  });
});
