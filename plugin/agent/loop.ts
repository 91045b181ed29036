import { getErrorMessage } from "../errors/error-message.ts";
import { writeLog } from "./status/agent-log.ts";

export interface LoopOptions {
  readonly name: string;
  /** Longest time between two passes, in milliseconds. */
  readonly period: number | (() => number);
  /** Events that come together cause one pass: the wait between the first reason and the pass, in milliseconds. */
  readonly debounce: number | (() => number);
}

/** A pass that runs longer than this, in milliseconds, will not end: each request and each command has a shorter time-out. */
const STALL_MS = 180_000;

/** Runs work on every wake-up and at least once per period, never concurrently. Errors are logged and kept. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #work: () => Promise<void> | void;
  #timer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;
  #running = false;
  #passStarted = 0;
  #again = false;
  #stopped = true;
  /** Error of the last pass; undefined if it succeeded. */
  error: string | undefined;
  passes = 0;

  constructor(options: LoopOptions, work: () => Promise<void> | void) {
    this.#options = options;
    this.#work = work;
  }

  /** Describes a pass that does not end; undefined while the loop progresses. */
  get stall(): string | undefined {
    const milliseconds = performance.now() - this.#passStarted;
    if (!this.#running || this.#stopped || milliseconds < STALL_MS) return undefined;
    return `${this.#options.name}: one pass has run for ${Math.round(milliseconds / 1000)} s`;
  }

  /** The first pass begins now. */
  start(): this {
    this.#stopped = false;
    this.#schedule(0);
    return this;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  wake(): void {
    if (this.#running) this.#again = true;
    else this.#schedule(resolveValue(this.#options.debounce));
  }

  #schedule(milliseconds: number): void {
    if (this.#stopped) return;
    const due = performance.now() + milliseconds;
    if (due >= this.#due) return;
    this.#due = due;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#runPass(), milliseconds);
  }

  async #runPass(): Promise<void> {
    this.#due = Number.POSITIVE_INFINITY;
    this.#running = true;
    this.#passStarted = performance.now();
    this.#again = false;
    try {
      await this.#work();
      this.error = undefined;
    } catch (error) {
      const text = getErrorMessage(error);
      if (text !== this.error) writeLog("error", `${this.#options.name}: pass failed`, { error: text });
      this.error = text;
    }
    this.passes++;
    this.#running = false;
    // A wake-up during the pass leads to the next one.
    const { debounce, period } = this.#options;
    this.#schedule(resolveValue(this.#wasWoken() ? debounce : period));
  }

  #wasWoken(): boolean {
    return this.#again;
  }
}

function resolveValue(option: number | (() => number)): number {
  return typeof option === "number" ? option : option();
}
