import assert from "node:assert/strict";
import { figuresOf, overallOf } from "./compare.ts";
import { medianOf } from "./sample.ts";
import { WAYS } from "./ways.ts";

describe("what a way costs", () => {
  const rounds = {
    without: { throughput: [10, 10, 10, 10], p50: [20, 40, 20] },
    notrack: { throughput: [8, 8, 8, 1], p50: [20, 44, 21] },
    liberal: { throughput: [10, 10, 10, 10], p50: [20, 40, 20] },
  };
  const plain = WAYS[0]?.plain;
  assert.ok(plain !== undefined);

  it("is told by pairs: what disturbed one disturbed its peer too, and what disturbed a transfer alone does not count", () => {
    const found = new Map(figuresOf({ name: "w", plain }, rounds).map((figure) => [figure.name, figure.value]));
    assert.equal(found.get("w: throughput without / notrack"), 1.25);
    assert.equal(found.get("w: p50 notrack / without"), 1.05);
    assert.equal(found.get("w: p50 liberal / without"), 1);
    assert.equal(found.get("w: throughput, without"), 10);
  });

  it("is told of all ways together", () => {
    const twice = ["v", "w"].flatMap((name) => figuresOf({ name, plain }, rounds));
    const found = new Map(overallOf(twice).map((figure) => [figure.name, figure]));
    assert.equal(found.get("all ways: p50 notrack / without")?.value, 1.05);
    assert.equal(found.get("all ways: p50 notrack / without")?.limit, 1.03);
    assert.equal(found.size, 4);
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
