import { formatElapsed, formatLastTime, type Progress } from "./progress.ts";

/** How often a long step says how far it is, in ms: CI systems end what is silent. */
const SILENCE_MS = 30_000;

/** One line when a step begins and one when it ends, with the time of day (UTC): for CI logs and pipes. */
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
      let spoke = started;
      write(`> ${title}${formatLastTime(lastSeconds)}`);
      return {
        update: (detail) => {
          if (now() - spoke < SILENCE_MS) return;
          spoke = now();
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
