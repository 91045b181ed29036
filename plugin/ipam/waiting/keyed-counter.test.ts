import assert from "node:assert/strict";
import { KeyedCounter } from "./keyed-counter.ts";

describe("KeyedCounter", () => {
  it("counts the tasks of a key while they run, also those that fail", async () => {
    const counter = new KeyedCounter();
    const seen: number[] = [];
    const task = async (): Promise<void> => {
      seen.push(counter.get("a"));
      await Promise.resolve();
      throw new Error("failed");
    };
    await Promise.allSettled([counter.count("a", task), counter.count("a", task), counter.count("b", task)]);
    assert.deepEqual([seen, counter.get("a"), counter.get("b")], [[1, 2, 2], 0, 0]);
  });
});
