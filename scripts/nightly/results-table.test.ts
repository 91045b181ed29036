import assert from "node:assert/strict";
import { createCell, createReport } from "../../results/report-fixtures.ts";
import type { MatrixJob } from "./matrix-plan.ts";
import { listRows, renderMarkdown } from "./results-table.ts";

describe("the table of a matrix run", () => {
  const report = createReport([createCell(), createCell({ expected: "blocked", actual: "fail" })]);
  const kubeProxy = { version: "v1.28.15", mode: "iptables" } as const;
  const job: MatrixJob = {
    name: "sweep-lab-1-29-ipv4",
    provider: "lab",
    kubernetes: "v1.29.15",
    args: [],
    variants: [
      { kubeProxy, returnPath: "liberal" },
      { kubeProxy, returnPath: "notrack" },
    ],
  };

  it("contains a row for each planned variant, also for one without a result", () => {
    const [liberal, notrack] = listRows([{ job, report }], []);
    assert.deepEqual(liberal?.slice(2), [
      "v1.28.15",
      "iptables",
      "liberal",
      "in place",
      "1 pass, 1 blocked as expected",
    ]);
    assert.deepEqual(notrack?.slice(4), ["notrack", "unknown", "FAIL: no result for this variant"]);
  });

  it("reports a run of environments without a report as a failure", () => {
    assert.equal(listRows([{ job: { ...job, variants: [] }, report: undefined }], [])[0]?.at(-1), "FAIL: no report");
  });

  it("lists what the plan skips", () => {
    assert.match(renderMarkdown(listRows([], ["kube-proxy v1.28.15"])), /\| skipped: kube-proxy v1\.28\.15 \|\n$/);
  });
});
