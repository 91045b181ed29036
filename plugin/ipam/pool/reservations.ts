import { z } from "zod";
import {
  type AddressRange,
  AddressSpace,
  fromNumber,
  mergeRanges,
  parseRange,
  type PoolSpaces,
  subtractRanges,
} from "./address-space.ts";

/** Range of addresses that no pod gets, except pods of these namespaces that request one. */
export interface ReservedRange {
  readonly range: string;
  readonly namespaces: readonly string[];
  /** Object that reserves it: `UnderlayReservation printers`. */
  readonly by: string;
}

interface PoolWithReservations {
  readonly spaces: PoolSpaces;
  readonly reservations: readonly ReservedRange[];
}

/** The part of a pool's status by which the leader reports reserved ranges to all nodes. */
const reservedStatus = z.object({
  reservations: z
    .array(z.object({ range: z.string(), namespaces: z.array(z.string()).default([]), by: z.string() }))
    .default([]),
});

/** Upper bound of listed ranges per pool, because the status is one object. */
export const MAX_RESERVED_RANGES = 2000;

/** Reads the reserved ranges from a pool's status; a status that the leader has not written yet has none. */
export function readReservations(status: unknown): readonly ReservedRange[] {
  const parsed = reservedStatus.safeParse(status);
  return parsed.success ? parsed.data.reservations.filter(({ range }) => toRange(range) !== undefined) : [];
}

/** Finds the ranges that have an address of a pool. Invalid ranges of other objects are left out. */
export function findReservations(space: AddressSpace, ranges: readonly ReservedRange[]): readonly ReservedRange[] {
  const overlaps = ({ range }: ReservedRange): boolean => {
    const reserved = toRange(range);
    const sameFamily = range.includes(":") === (space.family === "ipv6");
    return (
      reserved !== undefined &&
      sameFamily &&
      space.intervals.some(({ first, last }) => first <= reserved.last && reserved.first <= last)
    );
  };
  return ranges.filter(overlaps).toSorted((a, b) => a.by.localeCompare(b.by) || a.range.localeCompare(b.range));
}

/** Reserves all addresses of a pool, for a pool whose status cannot list what no pod may get. */
export function reserveWholePool({ family, intervals }: AddressSpace, by: string): readonly ReservedRange[] {
  return intervals.map(({ first, last }) => ({
    range: `${fromNumber(first, family)}-${fromNumber(last, family)}`,
    namespaces: [],
    by,
  }));
}

/** Returns a space without reserved ranges. */
export function subtractReservations(space: AddressSpace, ranges: readonly ReservedRange[]): AddressSpace {
  const holes = mergeRanges(ranges.flatMap(({ range }) => toRange(range) ?? []));
  return holes.length === 0 ? space : new AddressSpace(space.family, subtractRanges(space.intervals, holes));
}

/** Returns a pool as the pods of a namespace may use it: without the ranges that are reserved for other namespaces. */
export function restrictToNamespace<P extends PoolWithReservations>(pool: P, namespace: string): P {
  const foreign = pool.reservations.filter(({ namespaces }) => !namespaces.includes(namespace));
  if (foreign.length === 0) return pool;
  return { ...pool, spaces: { ...pool.spaces, all: subtractReservations(pool.spaces.all, foreign) } };
}

function toRange(text: string): AddressRange | undefined {
  try {
    return parseRange(text);
  } catch {
    return undefined;
  }
}
