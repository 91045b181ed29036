import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { KeyedSemaphore } from "./keyed-semaphore.ts";

describe("KeyedSemaphore", () => {
  it("limits concurrent tasks, also when the limit changes", async () => {
    const semaphore = new KeyedSemaphore();
    const [state, seen] = [{ most: 3, under: 0 }, [] as number[]];
    const one = () =>
      semaphore.run(
        "p",
        () => state.most,
        async () => {
          seen.push(++state.under);
          await sleep(2);
          state.under--;
        },
      );
    await Promise.all(Array.from({ length: 12 }, one));
    assert.equal(Math.max(...seen), 3);
    seen.length = 0;
    state.most = 1;
    await Promise.all(Array.from({ length: 6 }, one));
    assert.deepEqual(seen, [1, 1, 1, 1, 1, 1]);
  });

  it("lets a waiter proceed when a task does not end", async () => {
    const semaphore = new KeyedSemaphore();
    const hangs = semaphore.run(
      "p",
      () => 1,
      () => sleep(2500),
    );
    const started = performance.now();
    await semaphore.run(
      "p",
      () => 1,
      () => Promise.resolve(),
    );
    assert.ok(performance.now() - started < 2400, "it waited for what hangs");
    await hangs;
    await semaphore.run(
      "p",
      () => 1,
      () => Promise.resolve(),
    );
  });

  it("continues after a task that throws", async () => {
    const semaphore = new KeyedSemaphore();
    await assert.rejects(
      semaphore.run(
        "p",
        () => 1,
        () => Promise.reject(new Error("no")),
      ),
      /no/,
    );
    await semaphore.run(
      "p",
      () => 1,
      () => Promise.resolve(),
    );
  });
});
