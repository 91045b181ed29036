import type { Packet } from "../../packet.ts";
import { type AddressNumber, parseAddressNumber } from "./address-number.ts";

/** Returns the number of the first rule from `from` on that can match the packet's destination. */
export type RuleFinder = (from: number, packet: Packet) => number;

/** Properties of a rule that the index reads. */
interface IndexedRule {
  /** The only destination that the rule can match; undefined if there may be several. */
  readonly destination?: AddressNumber;
}

/** Chains with fewer rules are not indexed. */
const INDEXED_RULES = 16;

/**
 * Indexes rules by the single destination that they can match: kube-proxy's KUBE-SERVICES has one rule per Service and
 * address.
 */
export function createRuleFinder(rules: readonly IndexedRule[]): RuleFinder {
  if (rules.length < INDEXED_RULES) return (from) => from;
  const unindexed: number[] = [];
  const byDestination = new Map<AddressNumber, number[]>();
  for (const [number, { destination }] of rules.entries()) {
    if (destination === undefined) {
      unindexed.push(number);
      continue;
    }
    const numbers = byDestination.get(destination) ?? [];
    numbers.push(number);
    byDestination.set(destination, numbers);
  }
  if (byDestination.size === 0) return (from) => from;
  return (from, { destination }) => {
    const numbers = byDestination.get(parseAddressNumber(destination)) ?? [];
    return Math.min(findFrom(numbers, from) ?? rules.length, findFrom(unindexed, from) ?? rules.length);
  };
}

/** Finds the first of ascending numbers that is not below a limit. */
function findFrom(numbers: readonly number[], limit: number): number | undefined {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? limit) < limit) low = middle + 1;
    else high = middle;
  }
  return numbers[low];
}
