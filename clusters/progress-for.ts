import type { Progress } from "./progress.ts";
import { plainProgress } from "./progress-plain.ts";
import { terminalProgress } from "./progress-terminal.ts";

/** Live lines on a terminal; plain ones in pipes, in CI and where the terminal cannot move its cursor. */
export function progressFor(
  stream: NodeJS.WriteStream = process.stderr,
  env: NodeJS.ProcessEnv = process.env,
): Progress {
  const live = stream.isTTY && !env["CI"] && env["TERM"] !== "dumb";
  return live ? terminalProgress(stream) : plainProgress((line) => stream.write(`${line}\n`));
}
