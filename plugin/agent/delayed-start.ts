/** Calls a function once: after a random delay, or as soon as it is needed. */
export class DelayedStart {
  readonly #start: () => void;
  #timer: NodeJS.Timeout | undefined;
  #done = false;

  constructor(start: () => void) {
    this.#start = start;
  }

  /**
   * Schedules the start after a random delay.
   * @param maxDelayMs longest delay in milliseconds; with 0 the start is immediate
   * @param random returns a number from 0 to 1
   */
  schedule(maxDelayMs: number, random: () => number = Math.random): void {
    if (maxDelayMs === 0) this.startNow();
    else
      this.#timer = setTimeout(() => {
        this.startNow();
      }, random() * maxDelayMs);
  }

  startNow(): void {
    if (this.#done) return;
    this.cancel();
    this.#start();
  }

  /** Prevents a start that has not happened yet. */
  cancel(): void {
    this.#done = true;
    clearTimeout(this.#timer);
  }
}
