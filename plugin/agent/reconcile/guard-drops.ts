import { type GuardCount, readGuardCounts, removeStaleGuards } from "../../datapath/apply/source-guard.ts";
import { NetworkNamespace } from "../../datapath/kernel.ts";

/** Sums the counters of the guards of all pairs by rule. A pair that is removed keeps its part: the sums never fall. */
export class GuardDrops {
  readonly #last = new Map<string, number>();
  readonly #sums = new Map<string, number>();

  /**
   * Adds what the counters have counted since the last call.
   *
   * @returns dropped packets by rule
   */
  add(counts: readonly GuardCount[]): ReadonlyMap<string, number> {
    const now = new Map(counts.map(({ device, rule, packets }) => [`${device} ${rule}`, packets]));
    for (const { device, rule, packets } of counts) {
      const before = this.#last.get(`${device} ${rule}`) ?? 0;
      // A guard that was written again starts at zero.
      this.#sums.set(rule, (this.#sums.get(rule) ?? 0) + (packets >= before ? packets - before : packets));
    }
    this.#last.clear();
    for (const [key, packets] of now) this.#last.set(key, packets);
    return this.#sums;
  }
}

/** Reads the counters of the guards of this node's pairs. */
export const readNodeGuardCounts = (): readonly GuardCount[] => withNode(readGuardCounts);

/**
 * Removes the guards of this node whose pair does not exist.
 *
 * @returns the names of those pairs
 */
export const removeGuardsWithoutPair = (): readonly string[] => withNode(removeStaleGuards);

function withNode<T>(work: (node: NetworkNamespace) => T): T {
  const node = new NetworkNamespace();
  try {
    return work(node);
  } finally {
    node.close();
  }
}
