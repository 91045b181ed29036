/** Numbers of tests of a stage. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NO_TESTS: TestCounts = { passed: 0, failed: 0, skipped: 0 };

/** Adds the numbers of two stages. */
export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/**
 * Reads the numbers of tests from the last lines of mocha ("12 passing", "1 failing", "2 pending") or of the project's runners
 * ("12 passed, 1 failed, 2 skipped"). The last line of each kind counts, because a test may print such a line.
 * @returns undefined if the output contains no such line
 */
export function readCounts(output: string): TestCounts | undefined {
  const ownLine = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  if (ownLine) return { passed: Number(ownLine[1]), failed: Number(ownLine[2]), skipped: Number(ownLine[3] ?? 0) };
  const mocha = (word: string) => {
    const lastLine = [...output.matchAll(new RegExp(`^\\s+(\\d+) ${word}\\b`, "gm"))].at(-1);
    return lastLine ? Number(lastLine[1]) : undefined;
  };
  const passed = mocha("passing");
  if (passed === undefined) return undefined;
  return { passed, failed: mocha("failing") ?? 0, skipped: mocha("pending") ?? 0 };
}

/** Returns the result of a stage. A stage that ran no test, or exited non-zero without a failed test, has one failure. */
export function judgeStage(exitCode: number, counts: TestCounts | undefined): TestCounts {
  if (!counts || counts.passed + counts.failed + counts.skipped === 0) return { ...NO_TESTS, failed: 1 };
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

/** Returns `12 passed, 1 failed, 2 skipped`. */
export function formatClosingLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Longest text of a failure in the summary, in characters: logs of runs are often cut to their last 3000. */
const FAILURE_LENGTH = 600;

/**
 * Returns the output of a failed stage about its failures: the title and message of each in mocha's list, without stacks,
 * else the stage's last lines.
 */
export function extractFailures(output: string): string {
  const list = [...output.matchAll(/^\s+\d+ failing$/gm)].at(-1);
  if (list === undefined) return output.split("\n").slice(-40).join("\n").trim().slice(-FAILURE_LENGTH);
  return output
    .slice(list.index)
    .split(/^(?= +\d+\) )/m)
    .map((failure) =>
      failure
        .replaceAll(/^\s*(?:at .*)?\n/gm, "")
        .trimEnd()
        .slice(0, FAILURE_LENGTH),
    )
    .join("\n")
    .trim();
}
