import ipaddr from "ipaddr.js";
import { type Cidr, type Family, familyOf, type Ip, parseCidr, parseIp } from "../datapath/address.ts";

/** Both ends included. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** What the network team writes; see the CRD. */
export interface PoolSpec {
  readonly subnet: string;
  readonly ranges: readonly string[];
  readonly excluded: readonly string[];
  /** Given only to pods that ask for them. */
  readonly reserved: readonly string[];
  readonly gateway?: string | undefined;
}

export function toNumber(ip: Ip): bigint {
  return ipaddr
    .parse(ip)
    .toByteArray()
    .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

export function fromNumber(value: bigint, family: Family): Ip {
  const length = family === "ipv4" ? 4 : 16;
  const bytes = Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
  return parseIp(ipaddr.fromByteArray(bytes).toString());
}

/** `10.7.200.0/24`, `10.7.200.10-10.7.200.20` or `10.7.200.10`. Throws on what is none of them. */
export function parseRange(text: string): AddressRange {
  const [first = "", last, ...rest] = text.split("-").map((part) => part.trim());
  if (rest.length > 0) throw new Error(`"${text}" is no address range`);
  if (last !== undefined) {
    const range = { first: toNumber(parseIp(first)), last: toNumber(parseIp(last)) };
    if (familyOf(parseIp(first)) !== familyOf(parseIp(last)))
      throw new Error(`the range "${text}" has both address families`);
    if (range.first > range.last) throw new Error(`the range "${text}" ends before it begins`);
    return range;
  }
  if (!first.includes("/")) return { first: toNumber(parseIp(first)), last: toNumber(parseIp(first)) };
  const network = parseCidr(first);
  const length = Number(network.split("/")[1]);
  const base = toNumber(parseIp(network.split("/")[0] ?? ""));
  return { first: base, last: base + (1n << BigInt((familyOf(network) === "ipv4" ? 32 : 128) - length)) - 1n };
}

/** Sorted, disjoint. */
export function mergeRanges(ranges: readonly AddressRange[]): readonly AddressRange[] {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: AddressRange[] = [];
  for (const range of sorted) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1n) merged.push(range);
    else if (range.last > before.last) merged[merged.length - 1] = { first: before.first, last: range.last };
  }
  return merged;
}

/** What is in `from` and not in `without`; both sorted and disjoint. */
export function subtractRanges(
  from: readonly AddressRange[],
  without: readonly AddressRange[],
): readonly AddressRange[] {
  return from.flatMap((range) => {
    const left: AddressRange[] = [];
    let { first } = range;
    for (const hole of without) {
      if (hole.last < first || hole.first > range.last) continue;
      if (hole.first > first) left.push({ first, last: hole.first - 1n });
      first = hole.last + 1n;
    }
    return first <= range.last ? [...left, { first, last: range.last }] : left;
  });
}

/** The part of a pool that a node takes first, so that nodes which take at the same time do not want the same address. */
export interface NodeShard {
  readonly index: number;
  readonly count: number;
}
const FULL_RANGE: NodeShard = { index: 0, count: 1 };
const MAX_FOREIGN_CANDIDATES = 32;

/** The addresses that a pool may give, as intervals: a /8 or an IPv6 /64 costs no more than a /24. */
export class AddressSpace {
  readonly family: Family;
  readonly size: bigint;
  readonly intervals: readonly AddressRange[];

  constructor(family: Family, intervals: readonly AddressRange[]) {
    this.family = family;
    this.intervals = intervals;
    this.size = intervals.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
  }

  /** @param index 0 … size - 1 */
  at(index: bigint): Ip {
    let left = index;
    for (const { first, last } of this.intervals) {
      const length = last - first + 1n;
      if (left < length) return fromNumber(first + left, this.family);
      left -= length;
    }
    throw new RangeError(`the pool has ${this.size} addresses, there is no number ${index}`);
  }

  has(ip: Ip): boolean {
    if (familyOf(ip) !== this.family) return false;
    const value = toNumber(ip);
    return this.intervals.some(({ first, last }) => first <= value && value <= last);
  }

  /**
   * The first free address from `start` on, round the end, of one's own share. Where the next ones are all of others'
   * shares, one of those by lot: whoever takes the first would meet the others there. Looks at no more addresses than are
   * taken, plus some. Undefined: none is free.
   */
  findFree(start: bigint, taken: (ip: Ip) => boolean, share: NodeShard = FULL_RANGE): Ip | undefined {
    const others: Ip[] = [];
    const enough = Math.min(2 * share.count, MAX_FOREIGN_CANDIDATES);
    for (let step = 0n; step < this.size && others.length < enough; step++) {
      const index = (start + step) % this.size;
      const ip = this.at(index);
      if (taken(ip)) continue;
      if (index % BigInt(share.count) === BigInt(share.index)) return ip;
      others.push(ip);
    }
    return others[Number(start % BigInt(Math.max(1, others.length)))];
  }
}

export interface PoolSpaces {
  readonly subnet: Cidr;
  /** Of the subnet: the pods' links get it. */
  readonly prefixLength: number;
  readonly gateway?: Ip;
  /** What is given to anybody. */
  readonly free: AddressSpace;
  /** `free` and the reserved ones: what may be asked for. */
  readonly all: AddressSpace;
}

/** Throws with one sentence on what cannot be: the CRD refuses most of it, older objects may have it. */
export function parsePoolSpaces(spec: PoolSpec): PoolSpaces {
  const subnet = parseCidr(spec.subnet);
  const family = familyOf(subnet);
  const whole = parseRange(subnet);
  const ranges = mergeRanges(spec.ranges.map(parseRange));
  for (const { first, last } of ranges)
    if (first < whole.first || last > whole.last) throw new Error(`a range is not inside the subnet ${subnet}`);
  const gateway = spec.gateway === undefined ? undefined : parseIp(spec.gateway);
  const never = mergeRanges([
    ...spec.excluded.map(parseRange),
    ...(gateway === undefined ? [] : [parseRange(gateway)]),
    ...listReservedAddresses(subnet, whole),
  ]);
  const all = subtractRanges(ranges, never);
  return {
    subnet,
    prefixLength: Number(subnet.split("/")[1]),
    ...(gateway === undefined ? {} : { gateway }),
    all: new AddressSpace(family, all),
    free: new AddressSpace(family, subtractRanges(all, mergeRanges(spec.reserved.map(parseRange)))),
  };
}

/** RFC 919's broadcast and the network itself; IPv6's first is the routers' anycast (RFC 4291, 2.6.1). RFC 3021: a /31 has neither. */
function listReservedAddresses(subnet: Cidr, { first, last }: AddressRange): readonly AddressRange[] {
  const ipv4 = familyOf(subnet) === "ipv4";
  if (last - first <= 1n) return [];
  return [{ first, last: first }, ...(ipv4 ? [{ first: last, last }] : [])];
}

export function spacesOverlap(a: AddressSpace, b: AddressSpace): boolean {
  return (
    a.family === b.family && a.intervals.some((x) => b.intervals.some((y) => x.first <= y.last && y.first <= x.last))
  );
}
