import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { reportSchema } from "../../results/schema.ts";
import { createHealthyReport, writeRun } from "./example.ts";
import { type TamperTool, createTamperTool } from "./tamper.ts";

const BLOCKED = "matrix/underlay-1-a/overlay-2-b/other-node/tcp";
const PASSED = "matrix/overlay-1-a/underlay-2-b/other-node/tcp";

describe("raw results that were tampered with, with correct digests", function () {
  this.timeout(60_000);
  let tool: TamperTool;
  before(async () => (tool = await createTamperTool()));
  after(() => tool.remove());

  const found: Record<string, readonly [RegExp, () => Promise<string>]> = {
    "one run twice": [
      /same latencies/,
      () =>
        tool.changeBundle(async (inside) => {
          const first = reportSchema.parse(JSON.parse(await readFile(join(inside, "runs/1/report.json"), "utf8")));
          const { id, started, finished } = createHealthyReport(2, 2);
          await writeRun({ ...first, id, started, finished }, join(inside, "runs", "2"));
          await rm(join(inside, "runs/2/report.html"));
        }),
    ],
    "a failed cell reported as expected": [
      /has actual fail, want pass/,
      () => tool.changeCell(PASSED, (cell) => ({ ...cell, actual: "fail" })),
    ],
    "a failed cell reported as blocked": [
      /has expected blocked, want pass/,
      () => tool.changeCell(PASSED, (cell) => ({ ...cell, expected: "blocked", actual: "fail" })),
    ],
    "a failure reported only in the cell": [
      /the table does not match the cells/,
      () => tool.changeCell(PASSED, (cell) => ({ ...cell, ok: false, actual: "fail" })),
    ],
    "a missing cell": [
      /is missing/,
      () =>
        tool.changeReport((report) => ({
          ...report,
          variants: report.variants.map((one) => ({ ...one, cells: one.cells.filter(({ id }) => id !== PASSED) })),
        })),
    ],
    "a cell twice": [
      /a cell exists twice/,
      () =>
        tool.changeReport((report) => ({
          ...report,
          variants: report.variants.map((one) => ({ ...one, cells: [...one.cells, ...one.cells.slice(0, 1)] })),
        })),
    ],
    "a cell in another entry of the table": [
      /has target overlay, want underlay/,
      () => tool.changeCell(PASSED, (cell) => ({ ...cell, target: "overlay" })),
    ],
    "missing evidence": [/has no captured path/, () => tool.changeCell(PASSED, ({ evidence: _, ...cell }) => cell)],
    "a wrong expected path": [
      /compared with another path than the documented one/,
      () =>
        tool.changeCell(PASSED, (cell) => {
          const path = cell.evidence?.path;
          assert.ok(path);
          const without = { ...path.expected, request: path.expected.request.slice(1) };
          return { ...cell, evidence: { path: { ...path, expected: without } } };
        }),
    ],
    "a wrong path": [
      /passed by a wrong path: the reply/,
      () =>
        tool.changeCell(PASSED, (cell) => {
          const path = cell.evidence?.path;
          assert.ok(path);
          return { ...cell, evidence: { path: { ...path, seen: { ...path.seen, reply: path.seen.reply.slice(1) } } } };
        }),
    ],
    "a blocked cell that arrived": [
      /its request arrived/,
      () =>
        tool.changeCell(BLOCKED, (cell) => {
          const path = cell.evidence?.path;
          assert.ok(path);
          const [hop] = path.seen.request;
          assert.ok(hop);
          const request = path.expected.request.map((one) => ({ ...hop, ...one }));
          return { ...cell, evidence: { path: { ...path, seen: { ...path.seen, request } } } };
        }),
    ],
    "a blocked cell without a proof of its drop": [
      /blocked by the INVALID rule, but 0 INVALID packets arrived and 0 passed/,
      () => tool.changeCell(BLOCKED, ({ evidence: { drop: _, ...evidence } = {}, ...cell }) => ({ ...cell, evidence })),
    ],
    "a blocked cell that was not connected": [
      /blocked by the INVALID rule, but was not connected/,
      () => tool.changeCell(BLOCKED, ({ client: _, ...cell }) => cell),
    ],
    "another version of kube-proxy": [
      /which does not match this variant/,
      () =>
        tool.changeReport((report) => ({
          ...report,
          variants: report.variants.map((one) => ({ ...one, kubeProxy: { ...one.kubeProxy, version: "v1.29.15" } })),
        })),
    ],
    "a missing check": [
      /the check "every pod is ready/,
      () => tool.changeReport((report) => ({ ...report, checks: report.checks.slice(1) })),
    ],
    "the summary": [
      /the summary has/,
      () => tool.changeReport((report) => ({ ...report, summary: { ...report.summary, passed: 9999 } })),
    ],
    "an unreported attempt": [
      /certificate's variants does not match/,
      () => tool.changeCell(PASSED, (cell) => ({ ...cell, attempts: 2 })),
    ],
  };
  for (const [what, [problem, tamper]] of Object.entries(found))
    it(`raw results that were tampered with, with correct digests are rejected: ${what}`, async () => {
      const problems = await tool.findProblems(await tamper());
      assert.match(problems.join("\n"), problem);
    });
});
