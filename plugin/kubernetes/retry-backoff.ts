const BACKOFF_MS = { first: 200, most: 5000, absentFirst: 30_000, absentMost: 300_000 } as const;

/**
 * Computes the waits between attempts: twice as long each time, plus a random part of the same length, so that the agents of a
 * cluster do not all reconnect at the same time after an API server's restart.
 */
export class RetryBackoff {
  readonly #random: () => number;
  #wait: number = BACKOFF_MS.first;
  #absent: number = BACKOFF_MS.absentFirst;

  /** @param random returns numbers in [0, 1) */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  reset(): void {
    this.#wait = BACKOFF_MS.first;
    this.#absent = BACKOFF_MS.absentFirst;
  }

  /** @param retryAfter milliseconds that the API server asks to wait at least */
  next(retryAfter = 0): number {
    const wait = this.#wait;
    this.#wait = Math.min(2 * wait, BACKOFF_MS.most);
    return this.#addJitter(Math.max(wait, retryAfter));
  }

  /** Returns the wait for a kind that the API server does not have: it may be installed at any time, and mostly is not. */
  nextAbsent(): number {
    const wait = this.#absent;
    this.#absent = Math.min(2 * wait, BACKOFF_MS.absentMost);
    return this.#addJitter(wait);
  }

  #addJitter(milliseconds: number): number {
    return milliseconds * (1 + this.#random());
  }
}
