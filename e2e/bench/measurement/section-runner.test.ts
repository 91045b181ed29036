import assert from "node:assert/strict";
import { SectionRunner } from "./section-runner.ts";
import { isWithinLimit, type Measurement } from "./measurement.ts";

const ROW: Measurement = { name: "ADD", value: 1, unit: "ms", basis: "median" };
const fail = () => Promise.reject(new Error("no lease\n  at line 1"));
const succeed = () => Promise.resolve([ROW]);

describe("SectionRunner", () => {
  it("keeps and prints the measurements of a section", async () => {
    const lines: string[] = [];
    const runner = new SectionRunner((line) => lines.push(line));
    await runner.measure("ADD", succeed);
    assert.deepEqual(runner.rows, [ROW]);
    assert.deepEqual(lines, ["ADD: 1 ms (median)"]);
  });

  it("keeps a row over its limit, with the reason, for a section that throws, and measures the next one", async () => {
    const runner = new SectionRunner(() => undefined);
    await runner.measure("DEL", fail);
    await runner.measure("ADD", succeed);
    assert.deepEqual(
      runner.rows.map((row) => [row.name, row.basis, isWithinLimit(row)]),
      [
        ["DEL: not measured", "no lease", false],
        ["ADD", "median", true],
      ],
    );
  });

  it("keeps the rows that a section reported before it failed", async () => {
    const runner = new SectionRunner(() => undefined);
    await runner.measure("calls", (report) => {
      report([ROW]);
      return fail();
    });
    assert.deepEqual(
      runner.rows.map(({ name }) => name),
      ["ADD", "calls: not measured"],
    );
  });

  it("keeps a row over its limit if sections cannot be prepared", async () => {
    const runner = new SectionRunner(() => undefined);
    await runner.prepare("lab", fail);
    assert.deepEqual(
      runner.rows.map(({ name, basis }) => [name, basis]),
      [["lab: not measured", "no lease"]],
    );
  });

  it("measures only selected sections", async () => {
    const runner = new SectionRunner(() => undefined, ["ADD"]);
    await runner.measure("DEL", fail);
    await runner.measure("ADD", succeed);
    assert.deepEqual(runner.rows, [ROW]);
    assert.deepEqual([runner.selects("DEL"), runner.selects("DEL", "ADD")], [false, true]);
  });
});
