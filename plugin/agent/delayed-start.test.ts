import assert from "node:assert/strict";
import { mock } from "node:test";
import { DelayedStart } from "./delayed-start.ts";

describe("DelayedStart", () => {
  let starts: number;
  let delayed: DelayedStart;

  beforeEach(() => {
    mock.timers.enable({ apis: ["setTimeout"] });
    starts = 0;
    delayed = new DelayedStart(() => starts++);
  });
  afterEach(() => {
    mock.timers.reset();
  });

  it("starts after a random part of the longest delay, once", () => {
    delayed.schedule(2000, () => 0.5);
    mock.timers.tick(999);
    assert.equal(starts, 0);
    mock.timers.tick(1);
    assert.equal(starts, 1);
    delayed.startNow();
    mock.timers.tick(5000);
    assert.equal(starts, 1);
  });

  it("starts at once where nothing is to be spread", () => {
    delayed.schedule(0);
    assert.equal(starts, 1);
  });

  it("starts as soon as it is needed, and not again when the delay ends", () => {
    delayed.schedule(2000, () => 0.5);
    delayed.startNow();
    assert.equal(starts, 1);
    mock.timers.tick(2000);
    assert.equal(starts, 1);
  });

  it("does not start after it was cancelled", () => {
    delayed.schedule(2000, () => 0.5);
    delayed.cancel();
    delayed.startNow();
    mock.timers.tick(2000);
    assert.equal(starts, 0);
  });
});
