import type { WaitClock } from "../waiting/exhaustion-wait.ts";

/** Milliseconds until the watches of other nodes show a created address. */
const WATCH_MS = 20;
/** Weight of the last creation in the average duration. */
const WEIGHT = 0.2;
/** How many times longer than a creation the competing nodes wait together, for each free address. */
const SPREAD = 5;
const SHORTEST_WAIT_MS = 10;
const LONGEST_WAIT_MS = 800;
/** A creation that takes longer shows that the API server is busy: then this node creates one address at a time. */
const BUSY_MS = 100;

/** Spreads the creations of nodes that compete for the addresses of a block over time, so that few of them are refused. */
export class Contention {
  readonly #random: () => number;
  readonly #clock: WaitClock | undefined;
  #duration = WATCH_MS;

  /** @param clock undefined: nothing is measured and nothing waits */
  constructor(random: () => number, clock: WaitClock | undefined) {
    this.#random = random;
    this.#clock = clock;
  }

  /** Runs a creation and measures how long other nodes do not see its result. */
  async measure<T>(create: () => Promise<T>): Promise<T> {
    const started = this.#clock?.now();
    try {
      return await create();
    } finally {
      if (this.#clock !== undefined && started !== undefined)
        this.#duration += WEIGHT * (this.#clock.now() - started - this.#duration);
    }
  }

  /** Returns how many addresses this node may create at once, as far as the API server's speed allows. */
  getConcurrency(): number {
    return Math.max(1, Math.floor(BUSY_MS / Math.max(1, this.#duration)));
  }

  /** Waits until other nodes probably know of what this node created; not longer than for other nodes. */
  async waitUntilSeen(): Promise<void> {
    await this.#clock?.sleep(Math.min(LONGEST_WAIT_MS, this.#duration + WATCH_MS));
  }

  /**
   * Waits at random, longer the fewer addresses are free: what other nodes take meanwhile is seen afterwards.
   *
   * @param free number of free addresses of the block
   * @param nodes number of nodes that may want them
   */
  async wait(free: number, nodes: number): Promise<void> {
    const window = Math.min(LONGEST_WAIT_MS, (SPREAD * nodes * (this.#duration + WATCH_MS)) / Math.max(1, free));
    if (window > SHORTEST_WAIT_MS) await this.#clock?.sleep(this.#random() * window);
  }
}
