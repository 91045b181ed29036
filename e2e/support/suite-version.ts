import { isSea } from "node:sea";
import { $ } from "zx";
import packageJson from "../../package.json" with { type: "json" };
import type { SuiteVersion } from "../../results/component-schema.ts";

/** Reads the version of this suite: commit, and whether files other than results differ from it. */
export async function readSuiteVersion(): Promise<SuiteVersion> {
  const { version } = packageJson;
  if (isSea()) return { version }; // a clone around the executable is another program's
  const git = (...argv: readonly string[]) => $({ nothrow: true, quiet: true, cwd: import.meta.dirname })`git ${argv}`;
  const head = await git("rev-parse", "HEAD");
  if (head.exitCode !== 0) return { version };
  const status = await git("status", "--porcelain", "--", ":/", ":(exclude,top)results");
  return { version, commit: head.stdout.trim(), modified: status.stdout.trim() !== "" };
}
