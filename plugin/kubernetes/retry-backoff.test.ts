import assert from "node:assert/strict";
import { RetryBackoff } from "./retry-backoff.ts";

describe("RetryBackoff", () => {
  it("doubles the wait up to 5 s and spreads it over as much again", () => {
    const waits = (random: number) => {
      const backoff = new RetryBackoff(() => random);
      return Array.from({ length: 7 }, () => backoff.next());
    };
    assert.deepEqual(waits(0), [200, 400, 800, 1600, 3200, 5000, 5000]);
    assert.deepEqual(waits(0.5), [300, 600, 1200, 2400, 4800, 7500, 7500]);
  });

  it("waits at least as long as the API server asks", () => {
    assert.equal(new RetryBackoff(() => 0).next(3000), 3000);
  });

  it("asks for an absent kind less and less often, at last every 5 to 10 minutes", () => {
    const backoff = new RetryBackoff(() => 0);
    const waits = Array.from({ length: 6 }, () => backoff.nextAbsent() / 1000);
    assert.deepEqual(waits, [30, 60, 120, 240, 300, 300]);
  });
});
