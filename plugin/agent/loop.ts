import { getErrorMessage } from "../errors/error-message.ts";
import { writeLog } from "./status/agent-log.ts";

export interface LoopOptions {
  readonly name: string;
  /** Longest time between two passes, in milliseconds. */
  readonly period: number | (() => number);
  /** Time between the first wake-up and the pass, in milliseconds, so that several events cause one pass. */
  readonly debounce: number | (() => number);
}

/** A pass that runs for this time, in milliseconds, hangs: each request and each command has a shorter time-out. */
const STALL_MS = 180_000;

/** Runs work on every wake-up and at least once per period, never concurrently. Errors are logged and kept. */
export class Loop {
  readonly #options: LoopOptions;
  readonly #work: () => Promise<void> | void;
  #timer: NodeJS.Timeout | undefined;
  #due = Number.POSITIVE_INFINITY;
  #running = false;
  #passStarted = 0;
  #wokenDuringPass = false;
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

  /** Starts the loop with an immediate first pass. */
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
    if (this.#running) this.#wokenDuringPass = true;
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
    this.#wokenDuringPass = false;
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
    // A wake-up during the pass causes another pass.
    const { debounce, period } = this.#options;
    this.#schedule(resolveValue(this.#wasWoken() ? debounce : period));
  }

  #wasWoken(): boolean {
    return this.#wokenDuringPass;
  }
}

function resolveValue(option: number | (() => number)): number {
  return typeof option === "number" ? option : option();
}
