import assert from "node:assert/strict";
import { judgePrediction } from "./judge-prediction.ts";

describe("judgement of a prediction", () => {
  for (const [predicted, actual, judgement] of [
    ["pass", "pass", "right"],
    ["fail", "fail", "right"],
    ["pass", "fail", "false-green"],
    ["fail", "pass", "false-red"],
    ["unknown", "pass", "unknown"],
    ["unknown", "fail", "unknown"],
    ["random", "pass", "random"],
    ["random", "fail", "random"],
  ] as const)
    it(`is ${judgement} for a cell that was predicted as ${predicted} and probed as ${actual}`, () => {
      assert.equal(judgePrediction({ predicted, actual }), judgement);
    });

  it("takes a failed cell whose server saw the client as one that arrived", () => {
    assert.equal(judgePrediction({ predicted: "pass", actual: "fail", seen: "10.0.0.9" }), "right");
    assert.equal(judgePrediction({ predicted: "fail", actual: "fail", seen: "10.0.0.9" }), "false-red");
  });

  it("does not exist for a cell without a prediction", () => {
    assert.equal(judgePrediction({ actual: "pass" }), undefined);
  });
});
