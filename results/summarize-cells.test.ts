import assert from "node:assert/strict";
import { createCell } from "./report-fixtures.ts";
import type { CellResult } from "./schema.ts";
import { summarizeCells } from "./summarize-cells.ts";

describe("the table of a variant", () => {
  const entry = (...cells: CellResult[]) => summarizeCells(cells)[1]?.[0];

  it("has pass where every cell had the expected result", () => {
    assert.equal(entry(createCell(), createCell({ protocol: "udp" })), "pass");
  });
  it("has blocked where cells are blocked as expected", () => {
    assert.equal(entry(createCell(), createCell({ expected: "blocked", actual: "fail" })), "blocked");
  });
  it("has fail where one cell failed, or a blocked cell passed", () => {
    assert.equal(entry(createCell(), createCell({ actual: "fail", ok: false })), "fail");
    assert.equal(entry(createCell({ expected: "blocked", actual: "pass", ok: false })), "fail");
  });
  it("has not-run where no cell of the matrix ran", () => {
    assert.equal(entry(), "not-run");
    assert.equal(entry(createCell({ group: "node-port" })), "not-run");
  });
});
