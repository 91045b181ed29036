import { parseIp } from "../datapath/address.ts";
import { type AddressRange, type AddressSpace, toNumber } from "../ipam/pool/address-space.ts";
import type { Pool } from "../ipam/pool/select-pools.ts";
import type { UnderlayAddressObject } from "../kubernetes/objects.ts";

/** Addresses of a pool: those in its ranges, and those that it gave and whose ranges it no longer has. */
interface PoolAddresses {
  readonly used: UnderlayAddressObject[];
  readonly left: UnderlayAddressObject[];
}

interface PoolRange extends AddressRange {
  readonly pool: Pool;
}

/** Parsed once for each state of an object, which most of the cost would be otherwise. */
const numbers = new WeakMap<UnderlayAddressObject, bigint>();

function readNumber(object: UnderlayAddressObject): bigint {
  const number = numbers.get(object) ?? toNumber(parseIp(object.spec.address));
  numbers.set(object, number);
  return number;
}

/**
 * Groups addresses by pool in one pass, whatever the number of pools.
 * @param overlapping names of pools whose ranges overlap those of another one
 */
export function groupAddresses(
  pools: readonly Pool[],
  addresses: readonly UnderlayAddressObject[],
  overlapping: ReadonlySet<string>,
): ReadonlyMap<string, PoolAddresses> {
  const groups = new Map<string, PoolAddresses>(pools.map(({ name }) => [name, { used: [], left: [] }]));
  const separate = pools.filter(({ name }) => !overlapping.has(name));
  const others = pools.filter(({ name }) => overlapping.has(name));
  const ranges = {
    ipv4: sortRanges(separate.filter(({ spaces }) => spaces.all.family === "ipv4")),
    ipv6: sortRanges(separate.filter(({ spaces }) => spaces.all.family === "ipv6")),
  };
  for (const object of addresses) {
    const { address, pool: poolName } = object.spec;
    const number = readNumber(object);
    const family = address.includes(":") ? "ipv6" : "ipv4";
    const holder = findRange(ranges[family], number)?.pool;
    if (holder !== undefined) groups.get(holder.name)?.used.push(object);
    let isInRanges = holder?.name === poolName;
    for (const { name, spaces } of others)
      if (spaces.all.family === family && findRange(spaces.all.intervals, number) !== undefined) {
        groups.get(name)?.used.push(object);
        isInRanges ||= name === poolName;
      }
    if (!isInRanges) groups.get(poolName)?.left.push(object);
  }
  return groups;
}

/** Counts the addresses of a space that none of these objects has. */
export function countUnused(space: AddressSpace, used: readonly UnderlayAddressObject[]): number {
  const within = used.filter((object) => findRange(space.intervals, readNumber(object)) !== undefined);
  return Number(space.size) - within.length;
}

function sortRanges(pools: readonly Pool[]): readonly PoolRange[] {
  return pools
    .flatMap((pool) => pool.spaces.all.intervals.map(({ first, last }) => ({ first, last, pool })))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
}

/** Finds the range with a number among disjoint ones, by bisection. */
function findRange<T extends AddressRange>(ranges: readonly T[], number: bigint): T | undefined {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (range === undefined || range.first > number) high = middle;
    else if (range.last < number) low = middle + 1;
    else return range;
  }
  return undefined;
}
