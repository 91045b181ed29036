/** An API server that hangs must not make all wait one after another. */
const MAX_WAIT_MS = 1000;

interface Queue {
  under: number;
  readonly waiting: (() => void)[];
}

/** Work under one key, so many at a time; who has waited long enough goes on all the same. */
export class KeyedSemaphore {
  readonly #queues = new Map<string, Queue>();

  /** @param most how many at a time; asked anew when one ends */
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
        lane.under++; // in the name of the one that is woken
        lane.waiting.shift()?.();
      }
    }
  }
}

/** Resolves when it is counted among those under way. */
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
