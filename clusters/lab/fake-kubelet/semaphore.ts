/** So many works at a time, the others in their order: one that hangs holds up its own turn and no more. */
export class Semaphore {
  readonly #most: number;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
    this.#free = most;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.#begin();
    try {
      return await work();
    } finally {
      this.#end();
    }
  }

  /** When nothing else is under way, and nothing else begins before it has ended. For one caller: two would wait for each other. */
  async runExclusively<T>(work: () => Promise<T>): Promise<T> {
    for (let turn = 0; turn < this.#most; turn++) await this.#begin();
    try {
      return await work();
    } finally {
      for (let turn = 0; turn < this.#most; turn++) this.#end();
    }
  }

  async #begin(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
