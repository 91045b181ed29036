import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { reportSchema } from "../../results/schema.ts";
import { healthyReport, writeRun } from "./example.ts";
import { type Tamperer, createTamperer } from "./tamper.ts";

const BLOCKED = "matrix/underlay-1-a/overlay-2-b/other-node/tcp";
const PASSED = "matrix/overlay-1-a/underlay-2-b/other-node/tcp";

describe("raw results that were tampered with, every digest put right", function () {
  this.timeout(60_000);
  let forger: Tamperer;
  before(async () => (forger = await createTamperer()));
  after(() => forger.remove());

  const found: Record<string, readonly [RegExp, () => Promise<string>]> = {
    "one run twice": [
      /same latencies/,
      () =>
        forger.repack(async (inside) => {
          const first = reportSchema.parse(JSON.parse(await readFile(join(inside, "runs/1/report.json"), "utf8")));
          const { id, started, finished } = healthyReport(2, 2);
          await writeRun({ ...first, id, started, finished }, join(inside, "runs", "2"));
          await rm(join(inside, "runs/2/report.html"));
        }),
    ],
    "a failed cell called as expected": [
      /says actual fail, it is pass/,
      () => forger.forgeCell(PASSED, (cell) => ({ ...cell, actual: "fail" })),
    ],
    "a failed cell called blocked": [
      /says expected blocked, it is pass/,
      () => forger.forgeCell(PASSED, (cell) => ({ ...cell, expected: "blocked", actual: "fail" })),
    ],
    "a failure owned up to in the cell alone": [
      /the table is not that of the cells/,
      () => forger.forgeCell(PASSED, (cell) => ({ ...cell, ok: false, actual: "fail" })),
    ],
    "a failed cell left out": [
      /is missing/,
      () =>
        forger.forge((report) => ({
          ...report,
          variants: report.variants.map((one) => ({ ...one, cells: one.cells.filter(({ id }) => id !== PASSED) })),
        })),
    ],
    "a cell twice": [
      /a cell is there twice/,
      () =>
        forger.forge((report) => ({
          ...report,
          variants: report.variants.map((one) => ({ ...one, cells: [...one.cells, ...one.cells.slice(0, 1)] })),
        })),
    ],
    "a cell moved to another entry of the table": [
      /says target overlay, it is underlay/,
      () => forger.forgeCell(PASSED, (cell) => ({ ...cell, target: "overlay" })),
    ],
    "evidence taken away": [
      /has no evidence of its way/,
      () => forger.forgeCell(PASSED, ({ evidence: _, ...cell }) => cell),
    ],
    "a wrong way, expected to be so": [
      /compared with another way than the documented one/,
      () =>
        forger.forgeCell(PASSED, (cell) => {
          const path = cell.evidence?.path;
          assert.ok(path);
          const without = { ...path.expected, request: path.expected.request.slice(1) };
          return { ...cell, evidence: { path: { ...path, expected: without } } };
        }),
    ],
    "a wrong way": [
      /passed by a wrong way: the reply/,
      () =>
        forger.forgeCell(PASSED, (cell) => {
          const path = cell.evidence?.path;
          assert.ok(path);
          return { ...cell, evidence: { path: { ...path, seen: { ...path.seen, reply: path.seen.reply.slice(1) } } } };
        }),
    ],
    "a blocked cell that arrived": [
      /its request arrived/,
      () =>
        forger.forgeCell(BLOCKED, (cell) => {
          const path = cell.evidence?.path;
          assert.ok(path);
          const [hop] = path.seen.request;
          assert.ok(hop);
          const request = path.expected.request.map((one) => ({ ...hop, ...one }));
          return { ...cell, evidence: { path: { ...path, seen: { ...path.seen, request } } } };
        }),
    ],
    "another kube-proxy's name": [
      /which this variant has not/,
      () =>
        forger.forge((report) => ({
          ...report,
          variants: report.variants.map((one) => ({ ...one, kubeProxy: { ...one.kubeProxy, version: "v1.29.15" } })),
        })),
    ],
    "a check left out": [
      /the check "every pod is ready/,
      () => forger.forge((report) => ({ ...report, checks: report.checks.slice(1) })),
    ],
    "the sums": [
      /the sums say/,
      () => forger.forge((report) => ({ ...report, summary: { ...report.summary, passed: 9999 } })),
    ],
    "an unreported attempt": [
      /certificate's variants is not/,
      () => forger.forgeCell(PASSED, (cell) => ({ ...cell, attempts: 2 })),
    ],
  };
  for (const [what, [problem, tamper]] of Object.entries(found))
    it(`are refused: ${what}`, async () => {
      const problems = await forger.problemsOf(await tamper());
      assert.match(problems.join("\n"), problem);
    });
});
