import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let baseDirectory: string | undefined;
let directories = 0;

/** Returns the process's directory for the files of its tests, which the process's end removes. */
export function getBaseDirectory(): string {
  if (baseDirectory === undefined) {
    const created = mkdtempSync(join(tmpdir(), "interlay-test-"));
    process.once("exit", () => {
      rmSync(created, { recursive: true, force: true });
    });
    baseDirectory = created;
  }
  return baseDirectory;
}

/**
 * Creates an empty directory before the tests of the suite that calls it, and removes it after them.
 * @param lifetime whether each test has its own, or all tests share it
 * @returns its path
 */
export function useDirectory(lifetime: "suite" | "test" = "test"): string {
  const path = join(getBaseDirectory(), String(++directories));
  const [beforeTests, afterTests] = lifetime === "suite" ? [before, after] : [beforeEach, afterEach];
  beforeTests(() => {
    mkdirSync(path);
  });
  afterTests(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}
