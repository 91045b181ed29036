import assert from "node:assert/strict";
import { createCell, createReport } from "../../results/report-fixtures.ts";
import { toJunit } from "../../results/junit.ts";
import { reportSchema } from "../../results/schema.ts";
import { composeReport, explainEmptyCells } from "./compose-report.ts";

const RUN = {
  id: "test",
  started: "2026-01-01T00:00:00.000Z",
  finished: "2026-01-01T00:01:00.000Z",
  provider: "lab" as const,
};
const NOTHING = { variants: [], checks: [], versions: {} };
const passed = { name: "routes", status: "passed" as const, seconds: 1 };

describe("composeReport", () => {
  it("counts cells and checks", () => {
    const { variants } = createReport([createCell(), createCell({ ok: false, actual: "fail" })]);
    const report = composeReport(RUN, { variants, checks: [passed], versions: {} }, []);
    assert.deepEqual(report.summary, { passed: 2, failed: 1, skipped: 0 });
  });

  it("fails a run that tested nothing", () => {
    const skipped = { name: "left out", status: "skipped" as const, seconds: 0 };
    for (const checks of [[], [skipped]]) {
      const report = composeReport(RUN, { ...NOTHING, checks }, []);
      assert.equal(report.summary.failed, 1);
      assert.equal(report.checks.at(-1)?.name, "run: selection");
    }
  });

  it("fails a variant without a cell, also when other checks passed", () => {
    const { variants } = createReport([]);
    const report = composeReport(RUN, { variants, checks: [passed], versions: {} }, []);
    assert.match(report.checks.at(-1)?.error ?? "", /return path liberal: no cell was probed/);
    assert.equal(report.summary.failed, 1);
  });

  for (const stage of ["preflight", "bring-up", "specs", "interrupt", "crash", "take-down", "end"] as const)
    it(`names the cause of a run that ended in ${stage}, in the report and as a failed JUnit case`, () => {
      const report = composeReport(RUN, NOTHING, [{ stage, error: "etcd did not start" }]);
      assert.equal(reportSchema.parse(report).summary.failed, 1);
      assert.match(toJunit(report), new RegExp(`name="run: ${stage}"[^>]*><failure message="etcd did not start"`));
    });

  it("keeps what was found before the failure", () => {
    const report = composeReport(RUN, { ...NOTHING, checks: [passed] }, [{ stage: "interrupt", error: "SIGINT" }]);
    assert.deepEqual(report.summary, { passed: 1, failed: 1, skipped: 0 });
  });
});

describe("explainEmptyCells", () => {
  it("names the pattern and an id when no cell matches", () => {
    assert.match(
      explainEmptyCells(/nothing/, ["matrix/a/b"]) ?? "",
      /--cells "nothing" matches none of the 1 cells.*matrix\/a\/b/,
    );
  });
  it("accepts a pattern that matches one cell", () => {
    assert.equal(explainEmptyCells(/^matrix/, ["matrix/a/b"]), undefined);
  });
});
