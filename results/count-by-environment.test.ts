import assert from "node:assert/strict";
import { countByEnvironment } from "./count-by-environment.ts";
import { createCell, createReport } from "./report-fixtures.ts";

describe("counts by environment", () => {
  it("separates passed, blocked and failed cells, and their predictions, and counts a variant without a name as default", () => {
    const [variant] = createReport([
      createCell(),
      createCell({ expected: "blocked", actual: "fail", predicted: "fail" }),
      createCell({ actual: "fail", ok: false, predicted: "pass" }),
      createCell({ predicted: "fail" }),
      createCell({ predicted: "unknown" }),
    ]).variants;
    assert.ok(variant);
    const counts = { right: 0, "false-green": 0, "false-red": 0, unknown: 0, random: 0 };
    assert.deepEqual(countByEnvironment({ variants: [variant, { ...variant, environment: "nftables" }, variant] }), [
      {
        environment: "default",
        cells: 10,
        passed: 6,
        blocked: 2,
        failed: 2,
        predictions: { ...counts, right: 2, "false-green": 2, "false-red": 2, unknown: 2 },
      },
      {
        environment: "nftables",
        cells: 5,
        passed: 3,
        blocked: 1,
        failed: 1,
        predictions: { ...counts, right: 1, "false-green": 1, "false-red": 1, unknown: 1 },
      },
    ]);
  });
});
