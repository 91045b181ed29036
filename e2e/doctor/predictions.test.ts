import assert from "node:assert/strict";
import { createCell, createPath } from "../../results/report-fixtures.ts";
import { findWrongPredictions, type Prediction, withPredictions } from "./predictions.ts";

const HOP = { place: "a", link: "eth0", direction: "out", source: "10.0.0.1:1", destination: "10.0.0.2:2" } as const;
const PASS: Prediction = { result: "pass", path: { request: [HOP], reply: [] } };
const FAIL: Prediction = { ...PASS, result: "fail", cause: "n1: a rule drops it" };

describe("predictions of a trace in the results", () => {
  const results = [
    createCell({ id: "a" }),
    createCell({ id: "b", actual: "fail", ok: false }),
    createCell({ id: "c", actual: "fail" }),
  ];

  it("predictions of a trace in the results are added to the cells with a prediction", () => {
    const predicted = withPredictions(results, new Map([["a", PASS]])).map((one) => one.predicted);
    assert.deepEqual(predicted, ["pass", undefined, undefined]);
  });

  it("predictions of a trace in the results have their path where one was captured", () => {
    const captured = createCell({ id: "a", evidence: { path: createPath(8) } });
    const [one] = withPredictions([captured], new Map([["a", PASS]]));
    assert.deepEqual(one?.evidence?.path?.predicted, { request: [HOP], reply: [] });
    assert.deepEqual(one.evidence.path.seen, captured.evidence?.path?.seen);
  });

  it("predictions of a trace in the results give a wrong cell its cause, unless it has one", () => {
    const both = [results[1], { ...results[1], cause: "the doctor's" }].flatMap((one) => one ?? []);
    assert.deepEqual(
      withPredictions(both as typeof results, new Map([["b", FAIL]])).map(({ cause }) => cause),
      ["trace: n1: a rule drops it", "the doctor's"],
    );
  });

  it("predictions of a trace in the results are wrong for a cell that failed instead, also if it should be blocked, or passed instead", () => {
    const predictions = new Map([
      ["a", FAIL],
      ["b", PASS],
      ["c", FAIL],
    ]);
    const { falseGreen, falseRed } = findWrongPredictions(withPredictions(results, predictions));
    assert.deepEqual([falseGreen.map(({ id }) => id), falseRed.map(({ id }) => id)], [["b"], ["a"]]);
  });
});
