import assert from "node:assert/strict";
import { geometricMean, roundToHundredth, mean, median, computePercentile, roundToTenth } from "./statistics.ts";

describe("bench statistics", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  it("computes percentiles of samples in any order, interpolated between two", () => {
    assert.equal(roundToHundredth(computePercentile(hundred, 0.99)), 99.01);
    assert.equal(computePercentile(hundred, 1), 100);
    assert.equal(median(hundred), 50.5);
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(computePercentile([7], 0.99), 7);
  });
  it("computes the mean", () => {
    assert.equal(mean([1, 2, 6]), 3);
  });
  it("computes the geometric mean of ratios", () => {
    assert.equal(roundToTenth(geometricMean([0.5, 2])), 1);
  });
  it("rejects an empty list of samples", () => {
    assert.throws(() => median([]), /at least one/);
  });
  it("rounds to tenths and hundredths", () => {
    assert.equal(roundToTenth(1.26), 1.3);
    assert.equal(roundToHundredth(0.555), 0.56);
  });
});
