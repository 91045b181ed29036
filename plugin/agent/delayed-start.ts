/** Starts something once: after a random delay, or as soon as it is needed. */
export class DelayedStart {
  readonly #start: () => void;
  #timer: NodeJS.Timeout | undefined;
  #done = false;

  constructor(start: () => void) {
    this.#start = start;
  }

  /** @param atMost milliseconds; 0: now. @param random a number from 0 to 1 */
  schedule(atMost: number, random: () => number = Math.random): void {
    if (atMost === 0) this.startNow();
    else
      this.#timer = setTimeout(() => {
        this.startNow();
      }, random() * atMost);
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
