/** How many tests a stage ran, read from what its runner printed last. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NO_TESTS: TestCounts = { passed: 0, failed: 0, skipped: 0 };

export function addCounts(a: TestCounts, b: TestCounts): TestCounts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/**
 * Reads mocha's closing lines ("12 passing", "1 failing", "2 pending") or our own ("12 passed, 1 failed, 2 skipped").
 * The last of each kind counts, since a test may print such a line of its own. Returns undefined if there is neither:
 * a stage that says nothing of its tests has run none.
 */
export function readCounts(output: string): TestCounts | undefined {
  const own = [...output.matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  if (own) return { passed: Number(own[1]), failed: Number(own[2]), skipped: Number(own[3] ?? 0) };
  const mocha = (word: string) => {
    const found = [...output.matchAll(new RegExp(`^\\s+(\\d+) ${word}\\b`, "gm"))].at(-1);
    return found ? Number(found[1]) : undefined;
  };
  const passed = mocha("passing");
  if (passed === undefined) return undefined;
  return { passed, failed: mocha("failing") ?? 0, skipped: mocha("pending") ?? 0 };
}

/** A stage's verdict: a non-zero exit with no failed test counts as one failure, and so does a stage that ran no test. */
export function judgeStage(exitCode: number, counts: TestCounts | undefined): TestCounts {
  if (!counts || counts.passed + counts.failed + counts.skipped === 0) return { ...NO_TESTS, failed: 1 };
  return exitCode !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

export function formatClosingLine({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}
