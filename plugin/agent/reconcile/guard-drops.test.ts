import assert from "node:assert/strict";
import { GuardDrops } from "./guard-drops.ts";

const count = (device: string, packets: number) => ({ device, rule: "source-guard-ipv4", packets });

describe("GuardDrops", () => {
  const ROWS: readonly (readonly [
    title: string,
    readings: readonly (readonly ReturnType<typeof count>[])[],
    sum: number,
  ])[] = [
    ["sums the pairs", [[count("a", 2), count("b", 3)]], 5],
    ["counts what was counted before once", [[count("a", 2)], [count("a", 5)]], 5],
    ["keeps the drops of a removed pair", [[count("a", 2), count("b", 3)], [count("b", 3)]], 5],
    ["counts a guard that was written again from zero", [[count("a", 4)], [count("a", 1)]], 5],
    ["counts a pair of the same name that came later", [[count("a", 4)], [], [count("a", 1)]], 5],
  ];
  for (const [title, readings, sum] of ROWS)
    it(title, () => {
      const drops = new GuardDrops();
      let sums: ReadonlyMap<string, number> = new Map();
      for (const reading of readings) sums = drops.add(reading);
      assert.deepEqual([...sums], [["source-guard-ipv4", sum]]);
    });
});
