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
