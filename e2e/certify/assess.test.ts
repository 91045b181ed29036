import assert from "node:assert/strict";
import type { ProfileName } from "../../results/certificate/schema.ts";
import type { CellResult, Report } from "../../results/schema.ts";
import { summarizeCells } from "../../results/table.ts";
import { assessRuns } from "./assess.ts";
import { listSupportedCells } from "../matrix/supported-cells.ts";
import { cells, NO_FEATURES } from "../matrix/cells.ts";
import { auditReport, countWorkers } from "./audit.ts";
import { healthyReport } from "./example.ts";

const LOCAL = "node-port-local/external/node-port:overlay-local@node-1/outside/tcp";
const MATRIX = "matrix/overlay-1-a/underlay-2-b/other-node/tcp";

function withCell(report: Report, id: string, change: Partial<CellResult>): Report {
  const variants = report.variants.map((variant) => {
    const cells = variant.cells.map((cell) => (cell.id === id ? { ...cell, ...change } : cell));
    return { ...variant, cells, table: summarizeCells(cells) };
  });
  return { ...report, variants };
}
const policy = (report: Report, status: "passed" | "failed"): Report => ({
  ...report,
  checks: [...report.checks, { name: "agent a NetworkPolicy that denies holds", status, seconds: 1 }],
});

describe("what a certificate says", () => {
  const healthy = [healthyReport(2, 1), healthyReport(2, 2)];
  const resultOf = (reports: readonly Report[], profile: ProfileName, workers = 2) => {
    const { profiles, result } = assessRuns(reports, workers, [profile]);
    return [profiles.find(({ name }) => name === profile)?.result, result];
  };

  it("passes what passed, and the reports it rests on hold", () => {
    assert.deepEqual(resultOf(healthy, "base"), ["pass", "pass"]);
    assert.deepEqual(resultOf(healthy, "node-port-local"), ["pass", "pass"]);
    assert.deepEqual(
      healthy.flatMap((report) => auditReport(report, 2)),
      [],
    );
  });

  it("names the cells that the gate blocks, and the table's entries", () => {
    const [liberal, notrack] = assessRuns(healthy, 2, ["base"]).variants;
    assert.equal(liberal?.blocked.length, 8);
    assert.deepEqual(liberal.table[1]?.slice(0, 3), ["blocked", "pass", "blocked"]);
    assert.equal(notrack?.blocked.length, 0);
  });

  it("does not pass a flaky cell: asked twice, with a packet sent again, or failed in one run of two", () => {
    const twice = [healthyReport(2, 1), withCell(healthyReport(2, 2), MATRIX, { attempts: 2 })];
    const once = [healthyReport(2, 1), withCell(healthyReport(2, 2), MATRIX, { ok: false, actual: "fail" })];
    const resent = [healthyReport(2, 1), withCell(healthyReport(2, 2), MATRIX, { resent: 1 })];
    assert.deepEqual(resultOf(twice, "base"), ["fail", "fail"]);
    assert.deepEqual(resultOf(resent, "base"), ["fail", "fail"]);
    assert.deepEqual(resultOf(once, "base"), ["fail", "fail"]);
    assert.deepEqual(assessRuns(once, 2, ["base"]).variants[0]?.flaky, [MATRIX]);
  });

  it("fails the profile that a cell belongs to, and no other", () => {
    const reports = healthy.map((report) => withCell(report, LOCAL, { ok: false, actual: "fail" }));
    assert.ok(
      healthy[0]?.variants[0]?.cells.some(({ id }) => id === LOCAL),
      "no such cell",
    );
    assert.deepEqual(resultOf(reports, "node-port-local"), ["fail", "fail"]);
    assert.deepEqual(resultOf(reports, "base"), ["pass", "pass"]);
  });

  it("does not take one run, one worker, or what was not asked for a pass", () => {
    assert.deepEqual(resultOf(healthy.slice(1), "base"), ["not-run", "fail"]);
    assert.deepEqual(resultOf([healthyReport(1, 1), healthyReport(1, 2)], "base", 1), ["not-run", "fail"]);
    for (const profile of ["dual-stack", "policy", "scale"] as const)
      assert.deepEqual(resultOf(healthy, profile), ["not-run", "fail"]);
  });

  it("takes dual stack where every cell was asked over both families", () => {
    const dual = [healthyReport(2, 1, ["ipv4", "ipv6"]), healthyReport(2, 2, ["ipv4", "ipv6"])];
    assert.deepEqual(resultOf(dual, "dual-stack"), ["pass", "pass"]);
    assert.deepEqual(assessRuns(dual, 2, ["base"]).families, ["ipv4", "ipv6"]);
    assert.deepEqual(auditReport(healthyReport(2, 1, ["ipv6"]), 2), []);
    const [first] = dual;
    assert.ok(first);
    const some = first.variants.map((one) => ({
      ...one,
      cells: one.cells.filter(({ id }) => !id.endsWith("tcp/ipv6")),
    }));
    assert.match(auditReport({ ...first, variants: some }, 2).join("\n"), /tcp\/ipv6 is missing/);
  });

  it("takes NetworkPolicy and scale where they were run", () => {
    const held = healthy.map((report) => policy(report, "passed"));
    assert.deepEqual(resultOf(held, "policy"), ["pass", "pass"]);
    assert.deepEqual(resultOf([policy(healthyReport(2, 1), "failed"), ...held.slice(1)], "policy"), ["fail", "fail"]);
    assert.deepEqual(resultOf([healthyReport(10, 1), healthyReport(10, 2)], "scale", 10), ["pass", "pass"]);
  });

  it("refuses runs of different clusters", () => {
    const other = { ...healthyReport(2, 2), versions: { kubernetes: "v1.34.1" } };
    assert.throws(() => assessRuns([healthyReport(2, 1), other], 2, ["base"]), /different clusters/);
  });

  describe("of an existing cluster", () => {
    /** What a run there leaves: no cells from outside, no paths of packets. */
    const existingReport = (datapath: "interlay" | "none" = "interlay"): Report => {
      const report = healthyReport(2, 1);
      const ground = { nodeAccess: "network", outside: false, features: NO_FEATURES, podTrafficKnown: true } as const;
      const ids = new Set(listSupportedCells(cells(2), ground).map(({ id }) => id));
      const variants = report.variants.map((variant) => {
        const asked = variant.cells.filter(({ id }) => ids.has(id)).map((cell) => ({ ...cell, evidence: {} }));
        return { ...variant, cells: asked, table: summarizeCells(asked) };
      });
      const passed = variants.reduce((sum, variant) => sum + variant.cells.length, report.checks.length);
      return { ...report, provider: "existing", datapath, variants, summary: { passed, failed: 0, skipped: 0 } };
    };

    it("certifies connectivity by one run, says what it rests on, and holds", () => {
      const report = existingReport();
      assert.deepEqual(auditReport(report, countWorkers(report)), []);
      assert.deepEqual(resultOf([report], "connectivity"), ["pass", "pass"]);
      const { evidence, datapath } = assessRuns([report], 2, ["connectivity"]);
      assert.deepEqual({ evidence, datapath }, { evidence: "answers", datapath: "interlay" });
    });

    it("does not certify base, whose paths were not captured", () => {
      assert.deepEqual(resultOf([existingReport()], "base"), ["not-run", "fail"]);
    });

    it("fails by one cell, and by a check that failed, such as a leak", () => {
      const cell = withCell(existingReport(), MATRIX, { ok: false, actual: "fail" });
      assert.deepEqual(resultOf([cell], "connectivity"), ["fail", "fail"]);
      const leak = { name: "connectivity matrix (DeferCleanup)", status: "failed" as const, seconds: 1 };
      const report = existingReport();
      assert.deepEqual(resultOf([{ ...report, checks: [...report.checks, leak] }], "connectivity"), ["fail", "fail"]);
    });

    it("names a cell that is missing", () => {
      const report = existingReport();
      const variants = report.variants.map((one) => ({ ...one, cells: one.cells.filter(({ id }) => id !== MATRIX) }));
      assert.match(auditReport({ ...report, variants }, 2).join("\n"), /is missing/);
    });

    it("does not expect Interlay's sysctl and rule where another solution wires the pods", () => {
      const report = existingReport("none");
      const variants = report.variants.map((one) => ({ ...one, tcpBeLiberal: 0 as const }));
      assert.deepEqual(auditReport({ ...report, variants }, 2), []);
    });
  });
});
