/**
 * Where long work tells what it does. Every step of a provider, build or run gets one of these and prints nowhere else.
 */
export interface Progress {
  /** A step begins; the returned function ends it. `lastSeconds` is how long it took last time, if known. */
  step(title: string, lastSeconds?: number): StepHandle;
  /** One plain line, for what is not a step. */
  note(line: string): void;
}

export interface StepHandle {
  /** What the step is at now ("3 of 7 packages"). */
  update(detail: string): void;
  done(detail?: string): void;
  fail(detail: string): void;
}

/** A duration for people: `0.4 s`, `12 s`, `5 min 3 s`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** " (last time 12 s)", or nothing where that is not known. */
export function formatLastTime(seconds: number | undefined): string {
  return seconds === undefined ? "" : ` (last time ${formatElapsed(seconds * 1000)})`;
}
