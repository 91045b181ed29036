import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Loop } from "./loop.ts";

describe("Loop", () => {
  it("should merge wake-ups into one pass, and run another pass for a wake-up during a pass", async () => {
    let passes = 0;
    let release: () => void = () => undefined;
    const loop = new Loop({ name: "test", period: 60_000, debounce: 5 }, async () => {
      passes++;
      if (passes === 2)
        await new Promise<void>((resolve) => {
          release = resolve;
        });
    }).start();
    await sleep(20);
    assert.equal(passes, 1);
    for (let i = 0; i < 10; i++) loop.wake();
    await sleep(30);
    assert.equal(passes, 2);
    loop.wake();
    release();
    await sleep(30);
    assert.equal(passes, 3);
    loop.stop();
    loop.wake();
    await sleep(20);
    assert.equal(passes, 3);
  });

  it("should continue after a pass that throws, and log the error", async () => {
    let fail = true;
    const loop = new Loop({ name: "test", period: 5, debounce: 1 }, () => {
      if (fail) throw new Error("no");
    });
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = () => true; // the log line
    try {
      loop.start();
      await sleep(2);
      assert.equal(loop.error, "no");
    } finally {
      process.stdout.write = write;
    }
    fail = false;
    await sleep(30);
    assert.equal(loop.error, undefined);
    loop.stop();
  });

  it("reports a pass that does not end", async () => {
    const clock = performance.now.bind(performance);
    let ahead = 0;
    performance.now = () => clock() + ahead;
    const loop = new Loop({ name: "repair", period: 1, debounce: 1 }, () => new Promise<void>(() => undefined));
    try {
      loop.start();
      await sleep(10);
      assert.equal(loop.stall, undefined);
      ahead = 200_000;
      assert.match(String(loop.stall), /^repair: one pass has run for 200 s$/);
      loop.stop();
      assert.equal(loop.stall, undefined);
    } finally {
      performance.now = clock;
    }
  });
});
