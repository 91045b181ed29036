import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Semaphore } from "./semaphore.ts";

describe("Semaphore", () => {
  it("runs at most its limit of tasks at a time, and releases the permit of a task that fails", async () => {
    const semaphore = new Semaphore(2);
    let running = 0;
    let most = 0;
    const tasks = Array.from({ length: 7 }, (_, index) =>
      semaphore.run(async () => {
        most = Math.max(most, ++running);
        await sleep(1);
        running -= 1;
        if (index % 2 === 0) throw new Error("failed");
      }),
    );
    const results = await Promise.allSettled(tasks);
    assert.equal(results.filter(({ status }) => status === "rejected").length, 4);
    assert.equal(most, 2);
  });

  it("runs an exclusive task after all earlier tasks, and before all later ones", async () => {
    const semaphore = new Semaphore(2);
    const events: string[] = [];
    const createTask = (name: string) => async () => {
      events.push(`${name} begins`);
      await sleep(1);
      events.push(`${name} ends`);
    };
    await Promise.all([
      semaphore.run(createTask("a")),
      semaphore.run(createTask("b")),
      semaphore.runExclusively(createTask("exclusive")),
      semaphore.run(createTask("c")),
    ]);
    const start = events.indexOf("exclusive begins");
    assert.equal(events[start + 1], "exclusive ends", events.join(", "));
    assert.ok(start > events.indexOf("a ends") && start > events.indexOf("b ends"), events.join(", "));
  });

  it("continues while one task hangs", async () => {
    const semaphore = new Semaphore(2);
    void semaphore.run(() => new Promise(() => undefined));
    const results = await Promise.all([1, 2, 3].map((n) => semaphore.run(() => Promise.resolve(n))));
    assert.deepEqual(results, [1, 2, 3]);
  });
});
