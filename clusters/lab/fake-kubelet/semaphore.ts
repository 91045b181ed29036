/** Limits the number of tasks that run at a time. Tasks that wait start in the order of their calls. */
export class Semaphore {
  readonly #limit: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
    this.#free = limit;
  }

  /** Runs a task as soon as a permit is free. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    await this.#acquire();
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  /** Runs a task while no other task runs. Must not be called twice at the same time: the two calls would deadlock. */
  async runExclusively<T>(task: () => Promise<T>): Promise<T> {
    for (let permit = 0; permit < this.#limit; permit++) await this.#acquire();
    try {
      return await task();
    } finally {
      for (let permit = 0; permit < this.#limit; permit++) this.#release();
    }
  }

  async #acquire(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
