import assert from "node:assert/strict";
import { createCell, createReport } from "./report-fixtures.ts";
import { compareRuns } from "./compare-runs.ts";
import type { Report } from "./schema.ts";

const lab = (report: Report): Report => ({ ...report, provider: "lab" });

describe("the comparison of two runs", () => {
  it("ignores addresses and times", () => {
    const other = lab(createReport([createCell({ address: "10.233.65.9:8080", latencyMs: 9 })]));
    const { variants, cells, differences, notCompared } = compareRuns(createReport([createCell()]), other);
    assert.deepEqual(
      { variants, cells, differences, notCompared },
      { variants: 1, cells: 1, differences: [], notCompared: [] },
    );
  });

  it("reports a cell with another result, and the table", () => {
    const other = lab(createReport([createCell({ actual: "fail", ok: false })]));
    const { differences } = compareRuns(createReport([createCell()]), other);
    assert.equal(differences.length, 2);
    assert.match(differences[1] ?? "", /cell matrix\/underlay-1-a.*was pass" on kind, .*was fail" on lab/);
  });

  it("reports a cell that only one run contains", () => {
    const { differences } = compareRuns(
      createReport([createCell(), createCell({ id: "another" })]),
      lab(createReport([createCell()])),
    );
    assert.match(differences.join(), /cell another: .*"not run" on lab/);
  });

  it("reports variants that only one run contains", () => {
    const { variants, notCompared } = compareRuns(
      { ...createReport([createCell()]), variants: [] },
      lab(createReport([createCell()])),
    );
    assert.equal(variants, 0);
    assert.match(notCompared.join(), /only the run test \(lab\)/);
  });
});
