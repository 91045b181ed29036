/** Time in milliseconds after which changed counts of a pool are published. */
const SETTLE_MS = 5000;

/**
 * Delays the publication of a pool's counts: every agent watches the pools, so a write for each address would reach all agents.
 * Changed counts are written every few seconds, and not at all if they change back. Other parts of the status are written at once.
 */
export class SettledCounts {
  readonly #now: () => number;
  /** Time since which the counts of a pool differ from the published ones, by pool. */
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

  /** Forgets a change of counts. Called when the status is the published one. */
  reset(pool: string): void {
    this.#changedAt.delete(pool);
  }
}
