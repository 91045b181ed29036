import type { Family } from "../../datapath/address.ts";
import type { AddressSpace } from "./address-space.ts";
import { findFirstIndex } from "./find-first-index.ts";

interface OwnedRange {
  readonly first: bigint;
  /** The last address. */
  readonly number: bigint;
  readonly owner: string;
}

/** Disjoint address ranges with their owners, sorted, so that an overlap is found without a look at each. */
export class RangeIndex {
  readonly #ranges: Readonly<Record<Family, OwnedRange[]>> = { ipv4: [], ipv6: [] };

  /** Adds the ranges of a space that overlaps none of those before. */
  add({ family, intervals }: AddressSpace, owner: string): void {
    const ranges = this.#ranges[family];
    for (const { first, last } of intervals)
      ranges.splice(findFirstIndex(ranges, first), 0, { first, number: last, owner });
  }

  /** Returns the owner of a range that has an address of the space; undefined if no range has one. */
  findOwner({ family, intervals }: AddressSpace): string | undefined {
    const ranges = this.#ranges[family];
    for (const { first, last } of intervals) {
      const next = ranges[findFirstIndex(ranges, first)]; // the first range that does not end before
      if (next !== undefined && next.first <= last) return next.owner;
    }
    return undefined;
  }
}
