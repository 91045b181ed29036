import assert from "node:assert/strict";
import { countByEnvironment } from "./count-by-environment.ts";
import { createCell, createReport } from "./report-fixtures.ts";

describe("counts by environment", () => {
  it("separates passed, blocked, failed and false green cells, and counts a variant without a name as default", () => {
    const [variant] = createReport([
      createCell(),
      createCell({ expected: "blocked", actual: "fail", predicted: "fail" }),
      createCell({ actual: "fail", ok: false, predicted: "pass" }),
    ]).variants;
    assert.ok(variant);
    assert.deepEqual(countByEnvironment({ variants: [variant, { ...variant, environment: "nftables" }, variant] }), [
      { environment: "default", cells: 6, passed: 2, blocked: 2, failed: 2, falseGreen: 2 },
      { environment: "nftables", cells: 3, passed: 1, blocked: 1, failed: 1, falseGreen: 1 },
    ]);
  });
});
