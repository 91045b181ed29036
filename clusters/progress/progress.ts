/** Reports the progress of long work. Providers, builds and runs print only through it. */
export interface Progress {
  /** Begins a step. @param lastSeconds its duration the last time, if known */
  step(title: string, lastSeconds?: number): StepHandle;
  /** Prints one line that does not belong to a step. */
  note(line: string): void;
}

/** A running step. `done` or `fail` ends it. */
export interface StepHandle {
  /** Reports a detail, like "3 of 7 packages". */
  update(detail: string): void;
  done(detail?: string): void;
  fail(detail: string): void;
}

/** Formats a duration: `0.4 s`, `12 s`, `5 min 3 s`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const roundedSeconds = Math.round(seconds);
  return roundedSeconds < 60
    ? `${roundedSeconds} s`
    : `${Math.floor(roundedSeconds / 60)} min ${roundedSeconds % 60} s`;
}

/** Returns ` (last time 12 s)`, or an empty string for an unknown duration. */
export function formatLastTime(seconds: number | undefined): string {
  return seconds === undefined ? "" : ` (last time ${formatElapsed(seconds * 1000)})`;
}
