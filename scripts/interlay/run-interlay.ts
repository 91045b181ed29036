import { runVerbsAndExit } from "./run-verbs.ts";
import { VERBS } from "./verbs.ts";

/** Runs `interlay ARGUMENTS` with all commands, and ends the process. */
export function runAndExit(argv: readonly string[]): Promise<never> {
  return runVerbsAndExit(argv, VERBS);
}
