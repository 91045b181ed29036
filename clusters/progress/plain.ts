import { formatElapsed, formatLastTime, type Progress } from "./progress.ts";

/** Interval of a long step's details: CI systems stop jobs that print nothing. */
const SILENCE_MS = 30_000;

/** Prints one line when a step begins and one when it ends, with the time (UTC): for CI logs and pipes. */
export function createPlainProgress(
  writeLine: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
  now: () => number = Date.now,
): Progress {
  const write = (line: string) => {
    writeLine(`${new Date(now()).toISOString().slice(11, 19)} ${line}`);
  };
  return {
    note: (line) => {
      write(`  ${line}`);
    },
    step: (title, lastSeconds) => {
      const started = now();
      let lastLine = started;
      write(`> ${title}${formatLastTime(lastSeconds)}`);
      return {
        update: (detail) => {
          if (now() - lastLine < SILENCE_MS) return;
          lastLine = now();
          write(`… ${title} (${formatElapsed(now() - started)}): ${detail}`);
        },
        done: (detail) => {
          write(`✓ ${title} (${formatElapsed(now() - started)})${detail === undefined ? "" : `: ${detail}`}`);
        },
        fail: (detail) => {
          write(`✗ ${title} (${formatElapsed(now() - started)}): ${detail}`);
        },
      };
    },
  };
}
