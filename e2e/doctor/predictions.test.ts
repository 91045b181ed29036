import assert from "node:assert/strict";
import { createCell } from "../../results/fixtures.ts";
import { findFalseGreen, withPredictions } from "./predictions.ts";

describe("predictions of the doctor in the results", () => {
  const results = [
    createCell({ id: "a" }),
    createCell({ id: "b", actual: "fail", ok: false }),
    createCell({ id: "c", actual: "fail" }),
  ];

  it("are added to the cells with a prediction", () => {
    const predicted = withPredictions(results, new Map([["a", "pass"]])).map((one) => one.predicted);
    assert.deepEqual(predicted, ["pass", undefined, undefined]);
  });

  it("are false green for a cell that was predicted to pass and failed, also if it should be blocked", () => {
    const predictions = new Map([
      ["a", "pass"],
      ["b", "pass"],
      ["c", "fail"],
    ] as const);
    assert.deepEqual(
      findFalseGreen(withPredictions(results, predictions)).map(({ id }) => id),
      ["b"],
    );
  });
});
