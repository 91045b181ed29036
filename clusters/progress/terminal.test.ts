import assert from "node:assert/strict";
import { mock } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createTerminalProgress } from "./terminal.ts";

describe("createTerminalProgress", () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ["Date"] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  it("shows running steps in the last lines, and prints ended steps above them", () => {
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

  for (const columns of [0, undefined])
    it(`draws whole lines on a terminal with ${columns} columns`, () => {
      const writes: string[] = [];
      const terminal = { ...(columns === undefined ? {} : { columns }), write: (text: string) => writes.push(text) };
      createTerminalProgress(terminal).step("build etcd").done();
      assert.match(stripVTControlCharacters(writes[0] ?? ""), /^› build etcd 0\.0 s\n$/);
    });

  it("prints no colours without the option", () => {
    const writes: string[] = [];
    const progress = createTerminalProgress({ columns: 80, write: (text: string) => writes.push(text) }, false);
    progress.step("one").done("well");
    progress.step("two").fail("no");
    assert.doesNotMatch(writes.join(""), /\x1b\[\d*m/);
  });
});
