import assert from "node:assert/strict";
import { figuresOf } from "./compare.ts";
import { medianOf } from "./sample.ts";
import { WAYS } from "./ways.ts";

describe("what a way costs", () => {
  const rounds = {
    without: { throughput: [10, 5, 10], p50: [20, 40, 20] },
    notrack: { throughput: [10, 4, 8], p50: [20, 44, 21] },
    liberal: { throughput: [10, 5, 10], p50: [20, 40, 20] },
  };
  const plain = WAYS[0]?.plain;
  assert.ok(plain !== undefined);

  it("is told by rounds: what disturbed one round disturbed its peer too", () => {
    const found = new Map(figuresOf({ name: "w", plain }, rounds).map((figure) => [figure.name, figure.value]));
    assert.equal(found.get("w: throughput without / notrack"), 1.25);
    assert.equal(found.get("w: p50 notrack / without"), 1.05);
    assert.equal(found.get("w: p50 liberal / without"), 1);
    assert.equal(found.get("w: throughput, without"), 10);
  });

  it("says where its median lies", () => {
    const cost = figuresOf({ name: "w", plain }, rounds).find(({ name }) => name === "w: throughput without / notrack");
    assert.equal(cost?.basis, "median of 3 rounds' ratios, 95 % between 1 and 1.25");
  });

  it("is held against no limit where the same was taken once more: that is the noise", () => {
    const figures = figuresOf({ name: "w", plain }, { ...rounds, again: rounds.notrack });
    const noise = figures.find(({ name }) => name === "w: throughput without / again");
    assert.deepEqual([noise?.value, noise?.limit], [1.25, undefined]);
  });

  it("has no peer where there is no such way without Interlay", () => {
    const { notrack, liberal } = rounds;
    const figures = figuresOf({ name: "w" }, { notrack, liberal });
    assert.deepEqual(
      figures.filter(({ limit }) => limit !== undefined),
      [],
    );
    assert.equal(figures.length, 4);
  });

  it("is read from sockperf's own words", () => {
    assert.equal(medianOf("sockperf: ---> percentile 50.000 =    2.409\n"), 2.409);
    assert.throws(() => medianOf("sockperf: ERROR: no server\n"), /no server/);
  });
});
