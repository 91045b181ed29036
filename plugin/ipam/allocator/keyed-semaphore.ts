/** A waiter proceeds after this time, so that a hanging API server does not serialise all ADDs. */
const MAX_WAIT_MS = 1000;

interface Queue {
  under: number;
  readonly waiting: (() => void)[];
}

/** Limits concurrency per key. A waiter that has waited MAX_WAIT_MS proceeds anyway. */
export class KeyedSemaphore {
  readonly #queues = new Map<string, Queue>();

  /** @param most returns the limit; called again when a task ends */
  async run<T>(key: string, most: () => number, work: () => Promise<T>): Promise<T> {
    const lane = this.#queues.get(key) ?? { under: 0, waiting: [] };
    this.#queues.set(key, lane);
    if (lane.under >= most()) await waitForTurn(lane);
    else lane.under++;
    try {
      return await work();
    } finally {
      lane.under--;
      while (lane.waiting.length > 0 && lane.under < most()) {
        lane.under++; // counts the waiter that is woken
        lane.waiting.shift()?.();
      }
    }
  }
}

/** Resolves when the caller may run, and is counted as running. */
function waitForTurn(lane: Queue): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      lane.waiting.splice(lane.waiting.indexOf(wake), 1);
      lane.under++;
      resolve();
    }, MAX_WAIT_MS);
    lane.waiting.push(wake);
  });
}
