import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { PAGE, pageOf, readAll } from "./page.ts";

describe("results/BENCHMARKS.md", () => {
  it("is what results/benchmarks/*.json give", async () => {
    assert.equal(await readFile(PAGE, "utf8"), pageOf(await readAll()), "write it anew: npm run bench -- page");
  });
  it("says plainly what is missed", () => {
    const page = pageOf([
      {
        schema: "interlay.benchmark/v1",
        name: "made-up",
        taken: "2026-11-24T00:00:00.000Z",
        machine: { processors: 2, memoryGiB: 8, kernel: "6.1" },
        figures: [
          { name: "slow", value: 12, unit: "ms", limit: 10, basis: "a|b", ok: false },
          { name: "told", value: 1, unit: "x", basis: "b", ok: true },
        ],
      },
    ]);
    assert.match(page, /2 figures, 1 missed: made-up: slow\./);
    assert.match(page, /\| slow \| 12 ms \| 10 ms \| \*\*missed\*\* \| a\\\|b \|/);
    assert.match(page, /\| told \| 1 x \| - \| {2}\| b \|/);
  });
});
