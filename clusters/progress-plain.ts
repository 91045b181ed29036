import type { Progress } from "./progress.ts";

/** One line when a step begins and one when it ends: for CI logs and pipes. */
export function plainProgress(write: (line: string) => void = (line) => process.stderr.write(`${line}\n`)): Progress {
  return {
    note: (line) => {
      write(`  ${line}`);
    },
    step: (title, lastSeconds) => {
      const started = performance.now();
      write(`> ${title}${lastSeconds === undefined ? "" : ` (last time ${Math.round(lastSeconds)} s)`}`);
      const seconds = () => ((performance.now() - started) / 1000).toFixed(1);
      return {
        update: () => undefined, // details are for terminals: a log wants the ends
        done: (detail) => {
          write(`✓ ${title} (${seconds()} s)${detail === undefined ? "" : `: ${detail}`}`);
        },
        fail: (detail) => {
          write(`✗ ${title} (${seconds()} s): ${detail}`);
        },
      };
    },
  };
}
