import assert from "node:assert/strict";
import { extractFailures, formatClosingLine, readCounts, judgeStage } from "./test-counts.ts";

describe("test-summary", () => {
  const cases: { name: string; output: string; expected: ReturnType<typeof readCounts> }[] = [
    { name: "mocha, all green", output: "\n  12 passing (3s)\n", expected: { passed: 12, failed: 0, skipped: 0 } },
    {
      name: "mocha with failures and pending",
      output: "\n  12 passing (3s)\n  2 pending\n  1 failing\n\n  1) x\n",
      expected: { passed: 12, failed: 1, skipped: 2 },
    },
    { name: "our own line", output: "table\n140 passed, 2 failed\n", expected: { passed: 140, failed: 2, skipped: 0 } },
    { name: "with skipped", output: "7 passed, 0 failed, 3 skipped\n", expected: { passed: 7, failed: 0, skipped: 3 } },
    {
      name: "the last line counts",
      output: "1 passed, 9 failed\n2 passed, 0 failed\n",
      expected: { passed: 2, failed: 0, skipped: 0 },
    },
    { name: "nothing", output: "command not found", expected: undefined },
  ];
  for (const { name, output, expected } of cases)
    it(`reads ${name}`, () => {
      assert.deepEqual(readCounts(output), expected);
    });

  it("extracts the titles and messages of mocha's list of failures, without stacks", () => {
    const output =
      "✔ a\n\n  1 passing (3s)\n  2 failing\n\n  1) group\n       b:\n     why\n      at f (a.ts:1:1)\n\n  2) c:\n     so\n\n";
    assert.equal(extractFailures(output), "2 failing\n  1) group\n       b:\n     why\n  2) c:\n     so");
  });
  it("cuts a long failure, so that the next is seen", () => {
    const failures = extractFailures(`  2 failing\n\n  1) a:\n${"     x\n".repeat(1000)}  2) b:\n     why\n`);
    assert.ok(failures.length < 700 && failures.endsWith("  2) b:\n     why"), failures);
  });
  it("extracts the last lines of a stage without mocha", () => {
    assert.equal(extractFailures(`first\n${"line\n".repeat(50)}error TS1`), `${"line\n".repeat(39)}error TS1`);
  });

  it("takes a crash after green tests for a failure", () => {
    assert.equal(judgeStage(1, { passed: 3, failed: 0, skipped: 0 }).failed, 1);
  });
  it("takes a stage without tests for a failure", () => {
    assert.equal(judgeStage(0, undefined).failed, 1);
  });
  it("leaves out skipped when there are none", () => {
    assert.equal(formatClosingLine({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  });
});
