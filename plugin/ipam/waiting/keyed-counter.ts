/** Counts running tasks by key. */
export class KeyedCounter {
  readonly #counts = new Map<string, number>();

  get(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Counts a task while it runs. */
  async count<T>(key: string, task: () => Promise<T>): Promise<T> {
    this.#add(key, 1);
    try {
      return await task();
    } finally {
      this.#add(key, -1);
    }
  }

  #add(key: string, change: number): void {
    const count = this.get(key) + change;
    if (count === 0) this.#counts.delete(key);
    else this.#counts.set(key, count);
  }
}
