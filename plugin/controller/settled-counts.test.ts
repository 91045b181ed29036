import assert from "node:assert/strict";
import { SettledCounts } from "./settled-counts.ts";

describe("SettledCounts", () => {
  let now: number;
  let counts: SettledCounts;
  beforeEach(() => {
    now = 0;
    counts = new SettledCounts(() => now);
  });

  it("publishes counts that have changed for five seconds", () => {
    assert.equal(counts.isDue("p", true), false);
    now = 4999;
    assert.equal(counts.isDue("p", true), false);
    now = 5000;
    assert.equal(counts.isDue("p", true), true);
    assert.equal(counts.isDue("p", true), false, "the next change waits again");
  });

  it("publishes nothing for an address that is created and released within that time", () => {
    assert.equal(counts.isDue("p", true), false);
    now = 3000;
    counts.reset("p");
    now = 6000;
    assert.equal(counts.isDue("p", true), false);
  });

  it("publishes a change of conditions at once, of each pool for itself", () => {
    assert.equal(counts.isDue("a", true), false);
    assert.equal(counts.isDue("b", false), true);
    assert.equal(counts.isDue("a", false), true);
  });
});
