/** A waiter proceeds after this time, so that a hanging API server does not serialise all ADDs: the launcher waits 20 s, a request 10 s. */
const MAX_WAIT_MS = 5000;

interface Queue {
  running: number;
  readonly waiting: (() => void)[];
}

/** Limits concurrency per key. A waiter that has waited MAX_WAIT_MS proceeds anyway. */
export class KeyedSemaphore {
  readonly #queues = new Map<string, Queue>();

  /** @param getLimit returns the limit; called again when a task ends */
  async run<T>(key: string, getLimit: () => number, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? { running: 0, waiting: [] };
    this.#queues.set(key, queue);
    if (queue.running >= getLimit()) await waitForTurn(queue);
    else queue.running++;
    try {
      return await work();
    } finally {
      queue.running--;
      while (queue.waiting.length > 0 && queue.running < getLimit()) {
        queue.running++; // counts the waiter that is woken
        queue.waiting.shift()?.();
      }
    }
  }
}

/** Resolves when the caller may run, and is counted as running. */
function waitForTurn(queue: Queue): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      queue.waiting.splice(queue.waiting.indexOf(wake), 1);
      queue.running++;
      resolve();
    }, MAX_WAIT_MS);
    queue.waiting.push(wake);
  });
}
