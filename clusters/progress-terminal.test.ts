import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { createTerminalProgress } from "./progress-terminal.ts";

describe("terminalProgress", () => {
  it("keeps what runs in the last lines, and lets what has ended scroll away", () => {
    const writes: string[] = [];
    const progress = createTerminalProgress({ columns: 24, write: (text: string) => writes.push(text) });
    const one = progress.step("one");
    const two = progress.step("a title\tthat is too long for it", 5);
    one.done("well");
    two.fail("no");
    assert.deepEqual(writes.map(stripVTControlCharacters), [
      "› one 0.0 s\n",
      "› one 0.0 s\n› a title that is too …\n",
      "✓ one (0.0 s): well\n› a title that is too …\n",
      "✗ a title\tthat is too long for it (0.0 s): no\n",
    ]);
    assert.ok(writes[2]?.startsWith("\x1b[2F\x1b[J"), "the two lines above are erased");
  });
});
