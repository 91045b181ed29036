import assert from "node:assert/strict";
import { mock } from "node:test";
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
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const semaphore = new KeyedSemaphore();
      const run = (work: () => Promise<void>) => semaphore.run("p", () => 1, work);
      void run(() => new Promise(() => undefined));
      let done = 0;
      const waiter = run(() => {
        done++;
        return Promise.resolve();
      });
      mock.timers.tick(4999);
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(done, 0);
      mock.timers.tick(1);
      await waiter;
      assert.equal(done, 1);
    } finally {
      mock.timers.reset();
    }
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
