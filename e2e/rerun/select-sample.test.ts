import assert from "node:assert/strict";
import { createCell, createReport } from "../../results/report-fixtures.ts";
import { selectSample } from "./select-sample.ts";

const createCells = (count: number, prefix: string, change: Parameters<typeof createCell>[0] = {}) =>
  Array.from({ length: count }, (_, index) => createCell({ id: `${prefix}/${index}`, ...change }));

describe("selectSample", () => {
  it("selects failed, blocked and passed cells in equal shares", () => {
    const report = createReport([
      ...createCells(50, "passed"),
      ...createCells(9, "failed", { ok: false, actual: "fail" }),
      ...createCells(30, "blocked", { expected: "blocked", actual: "fail" }),
    ]);
    const ids = selectSample(report, 12).map(({ cell }) => cell.id.split("/")[0]);
    assert.deepEqual(
      ["passed", "failed", "blocked"].map((kind) => ids.filter((id) => id === kind).length),
      [4, 4, 4],
    );
  });

  it("fills the sample with passed cells if others are too few", () => {
    const report = createReport([...createCells(50, "passed"), ...createCells(1, "failed", { ok: false })]);
    assert.equal(selectSample(report, 20).length, 20);
  });

  it("selects cells at equal distances, in the report's order", () => {
    const ids = selectSample(createReport(createCells(40, "cell")), 4).map(({ cell }) => cell.id);
    assert.deepEqual(ids, ["cell/0", "cell/10", "cell/20", "cell/30"]);
  });

  it("returns each cell with the command of the report", () => {
    const [first] = selectSample(createReport(createCells(1, "cell")), 1);
    assert.match(first?.command ?? "", /^npm run e2e -- .* --cells '\^cell\/0\$'$/);
  });
});
