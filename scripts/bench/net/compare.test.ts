import assert from "node:assert/strict";
import { figuresOf } from "./compare.ts";
import { medianOf } from "./sample.ts";
import { WAYS } from "./ways.ts";

describe("what a way costs", () => {
  const sampled = (speed: number, p50: number) => ({ throughput: [speed], p50 });
  const rounds = {
    without: [sampled(10, 20), sampled(5, 40), sampled(10, 20)],
    notrack: [sampled(10, 20), sampled(4, 44), sampled(8, 21)],
    liberal: [sampled(10, 20), sampled(5, 40), sampled(10, 20)],
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

  it("says how far its rounds were apart", () => {
    const cost = figuresOf({ name: "w", plain }, rounds).find(({ name }) => name === "w: p50 notrack / without");
    assert.equal(cost?.basis, "median of 3 rounds' ratios, 1 to 1.1");
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
