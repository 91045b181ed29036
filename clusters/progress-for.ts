import type { Progress } from "./progress.ts";
import { createPlainProgress } from "./progress-plain.ts";
import { createTerminalProgress } from "./progress-terminal.ts";

/** Live lines on a terminal; plain ones in pipes, in CI and where the terminal cannot move its cursor. */
export function createProgress(
  stream: NodeJS.WriteStream = process.stderr,
  env: NodeJS.ProcessEnv = process.env,
): Progress {
  const live = stream.isTTY && !env["CI"] && env["TERM"] !== "dumb";
  return live ? createTerminalProgress(stream) : createPlainProgress((line) => stream.write(`${line}\n`));
}
