import assert from "node:assert/strict";
import { countByEnvironment } from "./environments.ts";
import { cell, reportOf } from "./fixtures.ts";

describe("counts by environment", () => {
  it("tell passed, blocked, failed and false green cells apart, and take a variant without a name for the default", () => {
    const [variant] = reportOf([
      cell(),
      cell({ expected: "blocked", actual: "fail", predicted: "fail" }),
      cell({ actual: "fail", ok: false, predicted: "pass" }),
    ]).variants;
    assert.ok(variant);
    assert.deepEqual(countByEnvironment({ variants: [variant, { ...variant, environment: "nftables" }, variant] }), [
      { environment: "default", cells: 6, passed: 2, blocked: 2, failed: 2, falseGreen: 2 },
      { environment: "nftables", cells: 3, passed: 1, blocked: 1, failed: 1, falseGreen: 1 },
    ]);
  });
});
