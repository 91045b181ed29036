import { stripVTControlCharacters, styleText } from "node:util";
import { formatElapsed, formatLastTime, type Progress } from "./progress.ts";

const REDRAW_MS = 250;

/** The used part of a terminal. */
interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

interface RunningStep {
  readonly title: string;
  readonly started: number;
  readonly lastSeconds: number | undefined;
  detail: string;
}

/** Width of a terminal that reports none or 0, as some serial consoles and containers do. */
const DEFAULT_COLUMNS = 80;

/**
 * Shows running steps in the last lines of a terminal, and prints steps that have ended above them.
 *
 * @param colors whether marks and times have colours
 */
export function createTerminalProgress(terminal: Terminal, colors = true): Progress {
  const color = (name: "green" | "red" | "dim", text: string): string =>
    colors ? styleText(name, text, { validateStream: false }) : text;
  const running = new Set<RunningStep>();
  let drawn = 0;
  let timer: NodeJS.Timeout | undefined;

  const redraw = (above?: string) => {
    const lines = [...running].map((step) => fitLine(formatStep(step), terminal.columns || DEFAULT_COLUMNS));
    const erase = drawn === 0 ? "" : `\x1b[${drawn}F\x1b[J`;
    terminal.write(
      [erase, ...(above === undefined ? [] : [above, "\n"]), ...lines.map((line) => `${line}\n`)].join(""),
    );
    drawn = lines.length;
    if (running.size > 0) timer ??= setInterval(redraw, REDRAW_MS).unref();
    else {
      clearInterval(timer);
      timer = undefined;
    }
  };

  return {
    note: (line) => {
      redraw(`  ${line}`);
    },
    step: (title, lastSeconds) => {
      const step: RunningStep = { title, started: Date.now(), lastSeconds, detail: "" };
      running.add(step);
      redraw();
      const end = (mark: string, detail: string) => {
        running.delete(step);
        redraw(
          `${mark} ${title} ${color("dim", `(${formatElapsed(Date.now() - step.started)})`)}${detail === "" ? "" : `: ${detail}`}`,
        );
      };
      return {
        update: (detail) => {
          step.detail = detail; // drawn by the timer: a build reports hundreds of details a second
        },
        done: (detail = "") => {
          end(color("green", "✓"), detail);
        },
        fail: (detail) => {
          end(color("red", "✗"), detail);
        },
      };
    },
  };
}

function formatStep({ title, started, lastSeconds, detail }: RunningStep): string {
  return `› ${title} ${formatElapsed(Date.now() - started)}${formatLastTime(lastSeconds)}${detail === "" ? "" : ` · ${detail}`}`;
}

/** Returns a text as one line: without control characters, and short enough not to wrap, so that it can be erased. */
function fitLine(text: string, columns: number): string {
  const line = stripVTControlCharacters(text).replace(/[\x00-\x1f]+/g, " ");
  return line.length < columns ? line : `${line.slice(0, Math.max(0, columns - 2))}…`;
}
