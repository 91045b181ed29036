import assert from "node:assert/strict";
import { mock } from "node:test";
import { Loop } from "./loop.ts";

/** Advances the fake clock after all work that is due, and lets the work that it starts run. */
async function advanceClock(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  mock.timers.tick(milliseconds);
  await new Promise((resolve) => setImmediate(resolve));
}

describe("Loop", () => {
  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

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
    await advanceClock(20);
    assert.equal(passes, 1);
    for (let i = 0; i < 10; i++) loop.wake();
    await advanceClock(30);
    assert.equal(passes, 2);
    loop.wake();
    release();
    await advanceClock(30);
    assert.equal(passes, 3);
    loop.stop();
    loop.wake();
    await advanceClock(20);
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
      await advanceClock(2);
      assert.equal(loop.error, "no");
    } finally {
      process.stdout.write = write;
    }
    fail = false;
    await advanceClock(30);
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
      await advanceClock(10);
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
