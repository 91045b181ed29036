import type { Progress } from "./progress.ts";
import { createPlainProgress } from "./plain.ts";
import { createTerminalProgress } from "./terminal.ts";

/** Whether to print colours, according to FORCE_COLOR if it is set, else NO_COLOR (https://no-color.org). FORCE_COLOR=0 means none. */
export function wantsColors(env: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: forceColor, NO_COLOR: noColor } = env;
  if (forceColor !== undefined && forceColor !== "") return forceColor !== "0" && forceColor !== "false";
  return noColor === undefined || noColor === "";
}

/**
 * Returns a progress with live lines on a terminal, or with plain lines in pipes, in CI, and on dumb terminals. With
 * INTERLAY_PROGRESS=none, which `interlay --quiet` sets also for child processes, it prints nothing.
 */
export function createProgress(
  stream: NodeJS.WriteStream = process.stderr,
  env: NodeJS.ProcessEnv = process.env,
): Progress {
  if (env["INTERLAY_PROGRESS"] === "none") return createPlainProgress(() => undefined);
  const live = stream.isTTY && !env["CI"] && env["TERM"] !== "dumb";
  return live
    ? createTerminalProgress(stream, wantsColors(env))
    : createPlainProgress((line) => stream.write(`${line}\n`));
}
