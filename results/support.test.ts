import assert from "node:assert/strict";
import { createCell, createReport } from "./report-fixtures.ts";
import { listSupportRecords, mergeSupport, renderSupportPage, type SupportRecord } from "./support.ts";

const RECORD: SupportRecord = {
  provider: "lab",
  kubernetes: "v1.29.15",
  kubeProxy: { version: "v1.29.15", mode: "iptables" },
  returnPath: "notrack",
  environment: "default",
  families: ["ipv4"],
  versions: { calico: "v3.28.5" },
  passed: 10,
  blocked: 2,
  failed: 0,
  date: "2026-01-02",
  suite: "0123456789ab",
};

describe("the support matrix", () => {
  it("has no record of a run that left cells out, or of another solution", () => {
    const report = createReport([createCell({})]);
    assert.deepEqual(listSupportRecords(report), [], "the table has entries that were not run");
    const complete = {
      ...report,
      versions: { kubernetes: "v1.29.15" },
      variants: report.variants.map((variant) => ({
        ...variant,
        table: variant.table.map((row) => row.map(() => "pass" as const)),
      })),
    };
    assert.equal(listSupportRecords(complete).length, 1);
    assert.deepEqual(listSupportRecords({ ...complete, datapath: "none" }), []);
  });

  it("keeps the later one of two records with the same versions", () => {
    const newer = { ...RECORD, date: "2026-02-01", passed: 12 };
    const other = { ...RECORD, returnPath: "liberal" as const };
    assert.deepEqual(mergeSupport([RECORD], [newer, other]), [other, newer]);
    assert.deepEqual(mergeSupport([newer], [RECORD]), [newer]);
  });

  it("shows failed cells as such", () => {
    assert.match(renderSupportPage([RECORD]), /\| 10 cells pass, 2 blocked as expected \|/);
    assert.match(renderSupportPage([{ ...RECORD, failed: 1 }]), /\| \*\*1 of 13 cells fail\*\*, 2 blocked/);
  });
});
