import { type GuardCount, readGuardCounts, removeStaleGuards } from "../../datapath/apply/source-guard.ts";
import { NetworkNamespace } from "../../datapath/kernel.ts";

/** Sums the counters of all pairs' guards by rule. The packets of a removed pair stay counted: the sums never decrease. */
export class GuardDrops {
  readonly #last = new Map<string, number>();
  readonly #sums = new Map<string, number>();

  /**
   * Adds the packets that were counted since the last call.
   *
   * @returns dropped packets by rule
   */
  add(counts: readonly GuardCount[]): ReadonlyMap<string, number> {
    const current = new Map(counts.map(({ device, rule, packets }) => [`${device} ${rule}`, packets]));
    for (const { device, rule, packets } of counts) {
      const previous = this.#last.get(`${device} ${rule}`) ?? 0;
      // A guard that was written again starts at zero.
      this.#sums.set(rule, (this.#sums.get(rule) ?? 0) + (packets >= previous ? packets - previous : packets));
    }
    this.#last.clear();
    for (const [key, packets] of current) this.#last.set(key, packets);
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
