import { createHash } from "node:crypto";
import { getFamily, type Ip } from "../../datapath/address.ts";
import { type AddressRange, AddressSpace, fromNumber, toNumber } from "./address-space.ts";
import { hashText } from "./hash-text.ts";
import { toObjectName } from "./object-name.ts";

/** A block has 256 addresses: an IPv4 /24 or an IPv6 /120. */
const BLOCK_BITS = 8n;
const PREFIX_LENGTH = { ipv4: 24, ipv6: 120 } as const;

/**
 * Part of a pool: its addresses in one block. An agent allocates in one block and watches only that, so its cost does not grow with the
 * pool; nodes begin in different blocks.
 */
export interface AddressBlock {
  readonly name: string;
  readonly space: AddressSpace;
  readonly addresses: readonly BlockAddress[];
}

/** An address of a block, with what its text is computed into for each allocation. */
export interface BlockAddress {
  readonly ip: Ip;
  /** Name of its object. */
  readonly name: string;
  readonly hash: number;
}

/** Upper bound of the blocks of one space that are kept. */
const MAX_CACHED = 64;
const cachedBlocks = new WeakMap<AddressSpace, Map<bigint, AddressBlock>>();

/** Returns the name of an address's block, a label value: `10.7.168.0-24`, `v6-fd07-0-0-0-0-0-200-100-120`. */
export function getBlockName(ip: Ip): string {
  const family = getFamily(ip);
  const base = fromNumber((toNumber(ip) >> BLOCK_BITS) << BLOCK_BITS, family);
  return `${toObjectName(base)}-${PREFIX_LENGTH[family]}`;
}

/** Counts the blocks that contain addresses of the space. */
export function countBlocks({ intervals }: AddressSpace): bigint {
  return intervals.reduce((sum, range) => sum + countRangeBlocks(range), 0n);
}

function countRangeBlocks({ first, last }: AddressRange): bigint {
  return (last >> BLOCK_BITS) - (first >> BLOCK_BITS) + 1n;
}

/**
 * Returns a block of a space, the same object each time, so that its addresses are listed once.
 *
 * @param index from 0 to `countBlocks` - 1
 * @throws RangeError for another index
 */
export function getBlock(space: AddressSpace, index: bigint): AddressBlock {
  const blocks = cachedBlocks.get(space) ?? new Map<bigint, AddressBlock>();
  cachedBlocks.set(space, blocks);
  const cached = blocks.get(index);
  if (cached !== undefined) return cached;
  if (blocks.size >= MAX_CACHED) blocks.clear();
  const block = buildBlock(space, index);
  blocks.set(index, block);
  return block;
}

function buildBlock({ intervals, family }: AddressSpace, index: bigint): AddressBlock {
  let remaining = index;
  for (const range of intervals) {
    const count = countRangeBlocks(range);
    if (remaining >= count) {
      remaining -= count;
      continue;
    }
    const base = ((range.first >> BLOCK_BITS) + remaining) << BLOCK_BITS;
    const end = base + (1n << BLOCK_BITS) - 1n;
    const first = base > range.first ? base : range.first;
    const space = new AddressSpace(family, [{ first, last: end < range.last ? end : range.last }]);
    const addresses = space.listAddresses().map((ip) => ({ ip, name: toObjectName(ip), hash: hashText(ip) }));
    return { name: getBlockName(fromNumber(first, family)), space, addresses };
  }
  throw new RangeError(`block ${index} is out of range`);
}

/** Chooses the block in which a node begins, by a hash: without knowing each other, nodes spread over the pool. */
export function chooseFirstBlock(node: string, pool: string, count: bigint): bigint {
  const hash = createHash("sha256").update(`${node}/${pool}`).digest().readBigUInt64BE();
  return count === 0n ? 0n : hash % count;
}
