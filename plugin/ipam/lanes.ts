/** An API server that hangs must not make all wait one after another. */
const PATIENCE_MS = 1000;

interface Lane {
  under: number;
  readonly waiting: (() => void)[];
}

/** Work under one key, so many at a time; who has waited long enough goes on all the same. */
export class Lanes {
  readonly #lanes = new Map<string, Lane>();

  /** @param most how many at a time; asked anew when one ends */
  async take<T>(key: string, most: () => number, work: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(key) ?? { under: 0, waiting: [] };
    this.#lanes.set(key, lane);
    if (lane.under >= most()) await turn(lane);
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
function turn(lane: Lane): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      lane.waiting.splice(lane.waiting.indexOf(wake), 1);
      lane.under++;
      resolve();
    }, PATIENCE_MS);
    lane.waiting.push(wake);
  });
}
