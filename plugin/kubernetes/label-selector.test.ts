import assert from "node:assert/strict";
import { labelSelector, matchesSelector } from "./label-selector.ts";

const LABELS = { rack: "a", zone: "1" };

describe("matchesSelector", () => {
  for (const [title, selector, expected] of [
    ["selects everything if it is empty", {}, true],
    ["selects equal labels", { matchLabels: { rack: "a" } }, true],
    ["rejects another value", { matchLabels: { rack: "b" } }, false],
    ["selects a value of In", { matchExpressions: [{ key: "rack", operator: "In", values: ["b", "a"] }] }, true],
    ["rejects a missing label for In", { matchExpressions: [{ key: "row", operator: "In", values: ["a"] }] }, false],
    ["rejects a value of NotIn", { matchExpressions: [{ key: "rack", operator: "NotIn", values: ["a"] }] }, false],
    [
      "selects a missing label for NotIn",
      { matchExpressions: [{ key: "row", operator: "NotIn", values: ["a"] }] },
      true,
    ],
    ["selects a label that Exists", { matchExpressions: [{ key: "zone", operator: "Exists" }] }, true],
    [
      "rejects a label that DoesNotExist names",
      { matchExpressions: [{ key: "zone", operator: "DoesNotExist" }] },
      false,
    ],
    [
      "requires labels and expressions",
      { matchLabels: { rack: "a" }, matchExpressions: [{ key: "zone", operator: "In", values: ["2"] }] },
      false,
    ],
  ] as const)
    it(title, () => {
      assert.equal(matchesSelector(labelSelector.parse(selector), LABELS), expected);
    });
});
