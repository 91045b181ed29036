import assert from "node:assert/strict";
import { createCell } from "../../results/report-fixtures.ts";
import { confirmPredictions } from "./confirm-predictions.ts";

const passed = createCell({ id: "a", actual: "pass", ok: true });
const failed = createCell({ id: "a", actual: "fail", ok: false });

describe("confirmPredictions", () => {
  const cases = [
    {
      name: "takes the second prediction of a cell whose first was made before kube-proxy wrote its rules",
      first: { ...passed, predicted: "fail" },
      again: { ...passed, predicted: "pass" },
      expected: "pass",
    },
    {
      name: "keeps a prediction that is wrong each time",
      first: { ...failed, predicted: "pass" },
      again: { ...failed, predicted: "pass" },
      expected: "pass",
    },
    {
      name: "drops the prediction of a cell whose result changes by itself",
      first: { ...failed, predicted: "pass" },
      again: { ...passed, predicted: "pass" },
      expected: undefined,
    },
    {
      name: "does not ask again for a right prediction",
      first: { ...passed, predicted: "pass" },
      again: undefined,
      expected: "pass",
    },
  ] as const;
  for (const { name, first, again, expected } of cases)
    it(name, async () => {
      const [confirmed] = await confirmPredictions([first], () =>
        again === undefined ? Promise.reject(new Error("asked again")) : Promise.resolve([again]),
      );
      assert.equal(confirmed?.predicted, expected);
      assert.equal(confirmed?.actual, first.actual);
    });
});
