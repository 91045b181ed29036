import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readWorkflowSteps } from "./workflow-steps.ts";

const read = (name: string): string => readFileSync(join(import.meta.dirname, "../../.github/workflows", name), "utf8");
const VALUES = {
  "matrix.job.name": "gate-lab",
  "matrix.job.args": "--provider lab",
  "needs.plan.outputs.night": "2026-01-01",
};

describe("readWorkflowSteps", () => {
  it("returns the scripts of a job with its and their variables, and names the actions", () => {
    const { steps, left } = readWorkflowSteps(read("nightly.yml"), "matrix", VALUES);
    const e2e = steps.find(({ script }) => script.includes("npm run e2e"));
    assert.deepEqual(e2e?.env, { JOB: "gate-lab", RUN: "2026-01-01-gate-lab", ARGUMENTS: "--provider lab" });
    assert.ok(left.some((action) => action.startsWith("actions/checkout@")));
    assert.ok(!steps.some(({ script }) => script.includes("${{")));
  });

  it("leaves out steps for failures", () => {
    const { steps, left } = readWorkflowSteps(
      "jobs: { a: { steps: [{ run: x, if: failure() }, { run: y, if: always() }] } }",
      "a",
      {},
    );
    assert.deepEqual(steps, [{ script: "y", env: {} }]);
    assert.deepEqual(left, ["x"]);
  });

  it("rejects an expression without a value, and an unknown job", () => {
    assert.throws(
      () => readWorkflowSteps(read("nightly.yml"), "matrix", {}),
      /no value for \$\{\{ matrix\.job\.name \}\}/,
    );
    assert.throws(() => readWorkflowSteps(read("ci.yml"), "deploy", {}), /no job deploy: use one of check, docs, test/);
  });

  it("reads every job of ci.yml", () => {
    for (const job of ["check", "test"]) assert.ok(readWorkflowSteps(read("ci.yml"), job, {}).steps.length > 1);
  });
});
