import assert from "node:assert/strict";
import { Contention } from "./contention.ts";

describe("Contention", () => {
  let now = 0;
  let slept: number[];
  const clock = {
    now: () => now,
    sleep: (milliseconds: number) => {
      slept.push(milliseconds);
      return Promise.resolve();
    },
  };
  const takeTime = (milliseconds: number) => () => {
    now += milliseconds;
    return Promise.resolve();
  };

  beforeEach(() => {
    slept = [];
  });

  it("does not wait while many addresses are free", async () => {
    await new Contention(() => 1, clock).wait(200, 5);
    assert.deepEqual(slept, []);
  });

  it("waits longer the fewer addresses are free, and at most 0.8 s", async () => {
    const contention = new Contention(() => 1, clock);
    for (const free of [100, 50, 1]) await contention.wait(free, 25);
    assert.deepEqual(slept, [50, 100, 800]);
  });

  it("waits a random part of that time", async () => {
    await new Contention(() => 0.5, clock).wait(50, 25);
    assert.deepEqual(slept, [50]);
  });

  it("waits longer while creations take longer", async () => {
    const contention = new Contention(() => 1, clock);
    for (let call = 0; call < 50; call++) await contention.measure(takeTime(100));
    await contention.wait(100, 25);
    assert.ok(slept.every((milliseconds) => milliseconds > 140 && milliseconds <= 150));
    assert.equal(slept.length, 1);
  });

  it("waits for the duration of a creation and of a watch event until others have seen it", async () => {
    const contention = new Contention(() => 1, clock);
    await contention.waitUntilSeen();
    for (let call = 0; call < 50; call++) await contention.measure(takeTime(9000));
    await contention.waitUntilSeen();
    assert.deepEqual(slept, [40, 800]);
  });

  it("allows fewer creations at once while the API server is slow, and at least one", async () => {
    const contention = new Contention(() => 1, clock);
    assert.ok(contention.getConcurrency() >= 4);
    for (let call = 0; call < 50; call++) await contention.measure(takeTime(400));
    assert.equal(contention.getConcurrency(), 1);
  });

  it("does not wait without a clock", async () => {
    await new Contention(() => 1, undefined).wait(1, 50);
    assert.deepEqual(slept, []);
  });
});
