import assert from "node:assert/strict";
import { createPlainProgress } from "./plain.ts";

describe("createPlainProgress", () => {
  it("prints the begin and end of a step, and a detail only after a long time", () => {
    const lines: string[] = [];
    let now = Date.UTC(2030, 0, 1, 14, 0, 0);
    const progress = createPlainProgress(
      (line) => lines.push(line),
      () => now,
    );
    const step = progress.step("build etcd", 90.4);
    step.update("1 of 9 packages");
    now += 31_000;
    step.update("5 of 9 packages");
    step.update("6 of 9 packages");
    now += 60_000;
    step.done("24 MB");
    progress.note("a note");
    progress.step("start").fail("no daemon");
    assert.deepEqual(lines, [
      "14:00:00 > build etcd (last time 1 min 30 s)",
      "14:00:31 … build etcd (31 s): 5 of 9 packages",
      "14:01:31 ✓ build etcd (1 min 31 s): 24 MB",
      "14:01:31   a note",
      "14:01:31 > start",
      "14:01:31 ✗ start (0.0 s): no daemon",
    ]);
  });
});
