import assert from "node:assert/strict";
import type { ProfileName } from "../../results/certificate/certificate-schema.ts";
import type { CellResult, Report } from "../../results/schema.ts";
import { summarizeCells } from "../../results/summarize-cells.ts";
import { assessRuns } from "./assess.ts";
import { listSupportedCells } from "../cells/supported-cells.ts";
import { listMatrixCells } from "../cells/matrix-cells.ts";
import { NO_FEATURES } from "../cells/features.ts";
import { auditReport, countWorkers } from "./audit.ts";
import { createHealthyReport } from "./example.ts";

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

describe("the assessment of runs", () => {
  const healthy = [createHealthyReport(2, 1), createHealthyReport(2, 2)];
  const createResult = (reports: readonly Report[], profile: ProfileName, workers = 2) => {
    const { profiles, result } = assessRuns(reports, workers, [profile]);
    return [profiles.find(({ name }) => name === profile)?.result, result];
  };

  it("passes profiles whose cells passed, with consistent reports", () => {
    assert.deepEqual(createResult(healthy, "base"), ["pass", "pass"]);
    assert.deepEqual(createResult(healthy, "node-port-local"), ["pass", "pass"]);
    assert.deepEqual(
      healthy.flatMap((report) => auditReport(report, 2)),
      [],
    );
  });

  it("lists the cells that are blocked as expected, and the entries of the table", () => {
    const [liberal, notrack] = assessRuns(healthy, 2, ["base"]).variants;
    assert.equal(liberal?.blocked.length, 8);
    assert.deepEqual(liberal.table[1]?.slice(0, 3), ["blocked", "pass", "blocked"]);
    assert.equal(notrack?.blocked.length, 0);
  });

  it("fails a profile with a flaky cell: two attempts, a retransmitted packet, or a failure in one of two runs", () => {
    const twice = [createHealthyReport(2, 1), withCell(createHealthyReport(2, 2), MATRIX, { attempts: 2 })];
    const once = [
      createHealthyReport(2, 1),
      withCell(createHealthyReport(2, 2), MATRIX, { ok: false, actual: "fail" }),
    ];
    const resent = [createHealthyReport(2, 1), withCell(createHealthyReport(2, 2), MATRIX, { resent: 1 })];
    assert.deepEqual(createResult(twice, "base"), ["fail", "fail"]);
    assert.deepEqual(createResult(resent, "base"), ["fail", "fail"]);
    assert.deepEqual(createResult(once, "base"), ["fail", "fail"]);
    assert.deepEqual(assessRuns(once, 2, ["base"]).variants[0]?.flaky, [MATRIX]);
  });

  it("fails only the profile that a failed cell belongs to", () => {
    const reports = healthy.map((report) => withCell(report, LOCAL, { ok: false, actual: "fail" }));
    assert.ok(
      healthy[0]?.variants[0]?.cells.some(({ id }) => id === LOCAL),
      "no such cell",
    );
    assert.deepEqual(createResult(reports, "node-port-local"), ["fail", "fail"]);
    assert.deepEqual(createResult(reports, "base"), ["pass", "pass"]);
  });

  it("does not pass one run, one worker, or cells that did not run", () => {
    assert.deepEqual(createResult(healthy.slice(1), "base"), ["not-run", "fail"]);
    assert.deepEqual(createResult([createHealthyReport(1, 1), createHealthyReport(1, 2)], "base", 1), [
      "not-run",
      "fail",
    ]);
    for (const profile of ["dual-stack", "policy", "scale"] as const)
      assert.deepEqual(createResult(healthy, profile), ["not-run", "fail"]);
  });

  it("passes dual-stack if every cell ran in both families", () => {
    const dual = [createHealthyReport(2, 1, ["ipv4", "ipv6"]), createHealthyReport(2, 2, ["ipv4", "ipv6"])];
    assert.deepEqual(createResult(dual, "dual-stack"), ["pass", "pass"]);
    assert.deepEqual(assessRuns(dual, 2, ["base"]).families, ["ipv4", "ipv6"]);
    assert.deepEqual(auditReport(createHealthyReport(2, 1, ["ipv6"]), 2), []);
    const [first] = dual;
    assert.ok(first);
    const some = first.variants.map((one) => ({
      ...one,
      cells: one.cells.filter(({ id }) => !id.endsWith("tcp/ipv6")),
    }));
    assert.match(auditReport({ ...first, variants: some }, 2).join("\n"), /tcp\/ipv6 is missing/);
  });

  it("passes policy and scale if they ran", () => {
    const held = healthy.map((report) => policy(report, "passed"));
    assert.deepEqual(createResult(held, "policy"), ["pass", "pass"]);
    assert.deepEqual(createResult([policy(createHealthyReport(2, 1), "failed"), ...held.slice(1)], "policy"), [
      "fail",
      "fail",
    ]);
    assert.deepEqual(createResult([createHealthyReport(10, 1), createHealthyReport(10, 2)], "scale", 10), [
      "pass",
      "pass",
    ]);
  });

  it("rejects runs of different clusters", () => {
    const other = { ...createHealthyReport(2, 2), versions: { kubernetes: "v1.34.1" } };
    assert.throws(() => assessRuns([createHealthyReport(2, 1), other], 2, ["base"]), /different clusters/);
  });

  it("rejects runs by different commits, or with other images of a DaemonSet", () => {
    const [first, second] = healthy;
    assert.ok(first?.components && second?.components);
    const older = { ...second, suite: { version: "1.2.3", commit: "0".repeat(40) } };
    assert.throws(() => assessRuns([first, older], 2, ["base"]), /different versions of the suite/);
    const daemonSets = second.components.daemonSets.map((one) => ({ ...one, images: ["calico/node:v3.29.0"] }));
    const other = { ...second, components: { ...second.components, daemonSets } };
    assert.throws(() => assessRuns([first, other], 2, ["base"]), /nodes or DaemonSets differ/);
    const restarted = {
      ...second.components,
      daemonSets: second.components.daemonSets.map((one) => ({ ...one, ready: 1 })),
    };
    assert.equal(assessRuns([first, { ...second, components: restarted }], 2, ["base"]).result, "pass");
  });

  describe("the assessment of an existing cluster", () => {
    /** Creates the report of a run there: without external clients and captures. */
    const existingReport = (datapath: "interlay" | "none" = "interlay"): Report => {
      const report = createHealthyReport(2, 1);
      const ground = { nodeAccess: "network", outside: false, features: NO_FEATURES, podTrafficKnown: true } as const;
      const ids = new Set(listSupportedCells(listMatrixCells(2), ground).map(({ id }) => id));
      const variants = report.variants.map((variant) => {
        const selected = variant.cells
          .filter(({ id }) => ids.has(id))
          .map(({ evidence: { path: _, ...evidence } = {}, ...cell }) => ({ ...cell, evidence }));
        return { ...variant, cells: selected, table: summarizeCells(selected) };
      });
      const passed = variants.reduce((sum, variant) => sum + variant.cells.length, report.checks.length);
      return { ...report, provider: "existing", datapath, variants, summary: { passed, failed: 0, skipped: 0 } };
    };

    it("certifies connectivity by one consistent run, and names its evidence", () => {
      const report = existingReport();
      assert.deepEqual(auditReport(report, countWorkers(report)), []);
      assert.deepEqual(createResult([report], "connectivity"), ["pass", "pass"]);
      const { evidence, datapath } = assessRuns([report], 2, ["connectivity"]);
      assert.deepEqual({ evidence, datapath }, { evidence: "host-pods", datapath: "interlay" });
      const variants = report.variants.map(({ invalidDropRule: _, ...variant }) => variant);
      assert.equal(assessRuns([{ ...report, variants }], 2, ["connectivity"]).evidence, "answers");
    });

    it("does not certify base, because packets were not captured", () => {
      assert.deepEqual(createResult([existingReport()], "base"), ["not-run", "fail"]);
    });

    it("fails for one failed cell, and for a failed check such as a leak", () => {
      const cell = withCell(existingReport(), MATRIX, { ok: false, actual: "fail" });
      assert.deepEqual(createResult([cell], "connectivity"), ["fail", "fail"]);
      const leak = { name: "connectivity matrix (DeferCleanup)", status: "failed" as const, seconds: 1 };
      const report = existingReport();
      assert.deepEqual(createResult([{ ...report, checks: [...report.checks, leak] }], "connectivity"), [
        "fail",
        "fail",
      ]);
    });

    it("reports a missing cell", () => {
      const report = existingReport();
      const variants = report.variants.map((one) => ({ ...one, cells: one.cells.filter(({ id }) => id !== MATRIX) }));
      assert.match(auditReport({ ...report, variants }, 2).join("\n"), /is missing/);
    });

    it("does not expect Interlay's sysctl and rule with another solution", () => {
      const report = existingReport("none");
      const variants = report.variants.map((one) => ({ ...one, tcpBeLiberal: 0 as const }));
      assert.deepEqual(auditReport({ ...report, variants }, 2), []);
    });
  });
});
