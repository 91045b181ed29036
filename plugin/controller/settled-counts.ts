/** Milliseconds for which counts of a pool must have changed before they are published. */
const SETTLE_MS = 5000;

/**
 * Delays the publication of a pool's counts. Every agent watches the pools, so a write for each address would reach all of them:
 * counts that are soon as before are not written, others every few seconds. Anything else of the status is written at once.
 */
export class SettledCounts {
  readonly #now: () => number;
  /** Pool -> time since which only its counts differ from what was published. */
  readonly #changedAt = new Map<string, number>();

  /** @param now milliseconds of any clock */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Reports whether a change must be published now. @param onlyCounts whether nothing but counts differs */
  isDue(pool: string, onlyCounts: boolean): boolean {
    const since = this.#changedAt.get(pool) ?? this.#now();
    if (onlyCounts && this.#now() - since < SETTLE_MS) {
      this.#changedAt.set(pool, since);
      return false;
    }
    this.#changedAt.delete(pool);
    return true;
  }

  /** Called where the status is as it was published. */
  reset(pool: string): void {
    this.#changedAt.delete(pool);
  }
}
