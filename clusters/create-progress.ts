import type { Progress } from "./progress.ts";
import { createPlainProgress } from "./progress-plain.ts";
import { createTerminalProgress } from "./progress-terminal.ts";

/** https://no-color.org and its counterpart: FORCE_COLOR wins, a value of 0 is off. */
export function wantsColors(env: NodeJS.ProcessEnv): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no } = env;
  if (force !== undefined && force !== "") return force !== "0" && force !== "false";
  return no === undefined || no === "";
}

/** Live lines on a terminal; plain ones in pipes, in CI and where the terminal cannot move its cursor. */
export function createProgress(
  stream: NodeJS.WriteStream = process.stderr,
  env: NodeJS.ProcessEnv = process.env,
): Progress {
  const live = stream.isTTY && !env["CI"] && env["TERM"] !== "dumb";
  return live
    ? createTerminalProgress(stream, wantsColors(env))
    : createPlainProgress((line) => stream.write(`${line}\n`));
}
