import assert from "node:assert/strict";
import { toMeasurements, toOverallMeasurements } from "./net-measurements.ts";

describe("the cost of a path", () => {
  const rounds = {
    without: { stream: [[100, 100, 130, 130], [50]], questions: [[20, 26, 26, 26], [40]] },
    notrack: { stream: [[125, 160, 160, 160], [62.5]], questions: [[21, 21, 21, 21], [42]] },
    liberal: { stream: [[100, 900, 900, 900], [50]], questions: [[20, 20, 20, 20], [40]] },
  };

  it("is reported per set of pods, without the effect of temporary load", () => {
    const found = new Map(toMeasurements("w", rounds).map((figure) => [figure.name, figure.value]));
    assert.equal(found.get("w: throughput without / notrack"), 1.25);
    assert.equal(found.get("w: p50 notrack / without"), 1.05);
    assert.equal(found.get("w: p50 liberal / without"), 1);
    assert.equal(found.get("w: throughput without / liberal"), 1);
    assert.equal(found.get("w: throughput, without"), 14.14);
    assert.equal(found.get("w: p50, without"), 28.28);
  });

  it("is reported for all paths together", () => {
    const twice = ["v", "w"].flatMap((name) => toMeasurements(name, rounds));
    const found = new Map(toOverallMeasurements(twice).map((figure) => [figure.name, figure]));
    assert.equal(found.get("all paths: p50 notrack / without")?.value, 1.05);
    assert.equal(found.get("all paths: p50 notrack / without")?.limit, 1.03);
    assert.equal(found.size, 4);
  });

  it("has no limit for the repeated baseline, which shows the noise", () => {
    const figures = toMeasurements("w", { ...rounds, "baseline-repeat": rounds.notrack });
    const noise = figures.find(({ name }) => name === "w: throughput without / baseline-repeat");
    assert.deepEqual([noise?.value, noise?.limit], [1.25, undefined]);
  });

  it("has no peer if the path does not exist without Interlay", () => {
    const { notrack, liberal } = rounds;
    const figures = toMeasurements("w", { notrack, liberal });
    assert.deepEqual(
      figures.filter(({ limit }) => limit !== undefined),
      [],
    );
    assert.equal(figures.length, 4);
  });
});
