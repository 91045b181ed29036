import { parseIp } from "../datapath/address.ts";
import { type AddressRange, type AddressSpace, toNumber } from "../ipam/pool/address-space.ts";
import type { Pool } from "../ipam/pool/select-pools.ts";
import type { UnderlayAddressObject } from "../kubernetes/objects.ts";

/** Addresses of a pool: `used` are in its ranges; `left` were assigned from ranges that it no longer has. */
interface PoolAddresses {
  readonly used: UnderlayAddressObject[];
  readonly left: UnderlayAddressObject[];
}

interface PoolRange extends AddressRange {
  readonly pool: Pool;
}

/** Cache of addresses as numbers: parsing them in each pass would be most of its cost. */
const numbers = new WeakMap<UnderlayAddressObject, bigint>();

function readNumber(object: UnderlayAddressObject): bigint {
  const number = numbers.get(object) ?? toNumber(parseIp(object.spec.address));
  numbers.set(object, number);
  return number;
}

/**
 * Groups addresses by pool in one pass, whatever the number of pools.
 * @param overlapping names of pools whose ranges overlap those of another pool
 */
export function groupAddresses(
  pools: readonly Pool[],
  addresses: readonly UnderlayAddressObject[],
  overlapping: ReadonlySet<string>,
): ReadonlyMap<string, PoolAddresses> {
  const groups = new Map<string, PoolAddresses>(pools.map(({ name }) => [name, { used: [], left: [] }]));
  const disjointPools = pools.filter(({ name }) => !overlapping.has(name));
  const overlappingPools = pools.filter(({ name }) => overlapping.has(name));
  const ranges = {
    ipv4: sortRanges(disjointPools.filter(({ spaces }) => spaces.all.family === "ipv4")),
    ipv6: sortRanges(disjointPools.filter(({ spaces }) => spaces.all.family === "ipv6")),
  };
  for (const object of addresses) {
    const { address, pool: poolName } = object.spec;
    const number = readNumber(object);
    const family = address.includes(":") ? "ipv6" : "ipv4";
    const rangePool = findRange(ranges[family], number)?.pool;
    if (rangePool !== undefined) groups.get(rangePool.name)?.used.push(object);
    let isInRanges = rangePool?.name === poolName;
    for (const { name, spaces } of overlappingPools)
      if (spaces.all.family === family && findRange(spaces.all.intervals, number) !== undefined) {
        groups.get(name)?.used.push(object);
        isInRanges ||= name === poolName;
      }
    if (!isInRanges) groups.get(poolName)?.left.push(object);
  }
  return groups;
}

/** Counts the addresses of a space that no given object uses. */
export function countUnused(space: AddressSpace, used: readonly UnderlayAddressObject[]): number {
  const within = used.filter((object) => findRange(space.intervals, readNumber(object)) !== undefined);
  return Number(space.size) - within.length;
}

function sortRanges(pools: readonly Pool[]): readonly PoolRange[] {
  return pools
    .flatMap((pool) => pool.spaces.all.intervals.map(({ first, last }) => ({ first, last, pool })))
    .sort((a, b) => (a.first < b.first ? -1 : 1));
}

/** Finds the range that contains a number, by bisection of sorted disjoint ranges. */
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
