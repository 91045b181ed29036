import ipaddr from "ipaddr.js";
import { type Cidr, type Family, getFamily, type Ip, parseCidr, parseIp } from "../../datapath/address.ts";

/** Range of addresses as numbers, both ends included. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

/** Spec of an UnderlayPool; see the CRD. */
export interface PoolSpec {
  readonly subnet: string;
  readonly ranges: readonly string[];
  readonly excluded: readonly string[];
  /** Allocated only to pods that request them. */
  readonly reserved: readonly string[];
  readonly gateway?: string | undefined;
}

/** Returns an address as a number. IPv4 is fast: the controller converts all addresses of a cluster. */
export function toNumber(ip: Ip): bigint {
  if (!ip.includes(":")) return BigInt(ip.split(".").reduce((value, byte) => 256 * value + Number(byte), 0));
  return ipaddr
    .parse(ip)
    .toByteArray()
    .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** Returns the address of a number: the reverse of `toNumber`. */
export function fromNumber(value: bigint, family: Family): Ip {
  const length = family === "ipv4" ? 4 : 16;
  const bytes = Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
  return ipaddr.fromByteArray(bytes).toString() as Ip; // canonical
}

/** Parses `10.7.200.0/24`, `10.7.200.10-10.7.200.20` or `10.7.200.10`. Throws if `text` is none of them. */
export function parseRange(text: string): AddressRange {
  const [first = "", last, ...rest] = text.split("-").map((part) => part.trim());
  if (rest.length > 0) throw new Error(`invalid address range "${text}"`);
  if (last !== undefined) {
    const range = { first: toNumber(parseIp(first)), last: toNumber(parseIp(last)) };
    if (getFamily(parseIp(first)) !== getFamily(parseIp(last)))
      throw new Error(`invalid address range "${text}": its ends are of different families`);
    if (range.first > range.last)
      throw new Error(`invalid address range "${text}": its last address is before its first`);
    return range;
  }
  if (!first.includes("/")) return { first: toNumber(parseIp(first)), last: toNumber(parseIp(first)) };
  const network = parseCidr(first);
  const length = Number(network.split("/")[1]);
  const base = toNumber(parseIp(network.split("/")[0] ?? ""));
  return { first: base, last: base + (1n << BigInt((getFamily(network) === "ipv4" ? 32 : 128) - length)) - 1n };
}

/** Returns the union of ranges, sorted and disjoint. */
export function mergeRanges(ranges: readonly AddressRange[]): readonly AddressRange[] {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: AddressRange[] = [];
  for (const range of sorted) {
    const previous = merged.at(-1);
    if (previous === undefined || range.first > previous.last + 1n) merged.push(range);
    else if (range.last > previous.last) merged[merged.length - 1] = { first: previous.first, last: range.last };
  }
  return merged;
}

/** Returns the addresses in `from` that are not in `without`; both must be sorted and disjoint. */
export function subtractRanges(
  from: readonly AddressRange[],
  without: readonly AddressRange[],
): readonly AddressRange[] {
  return from.flatMap((range) => {
    const remaining: AddressRange[] = [];
    let { first } = range;
    for (const hole of without) {
      if (hole.last < first || hole.first > range.last) continue;
      if (hole.first > first) remaining.push({ first, last: hole.first - 1n });
      first = hole.last + 1n;
    }
    return first <= range.last ? [...remaining, { first, last: range.last }] : remaining;
  });
}

/** Returns the addresses that are in both; both must be sorted and disjoint. */
export function intersectRanges(a: readonly AddressRange[], b: readonly AddressRange[]): readonly AddressRange[] {
  return a.flatMap((x) =>
    b
      .filter((y) => x.first <= y.last && y.first <= x.last)
      .map((y) => ({
        first: x.first > y.first ? x.first : y.first,
        last: x.last < y.last ? x.last : y.last,
      })),
  );
}

/** Addresses of a pool, stored as intervals: a /8 or an IPv6 /64 costs no more than a /24. */
export class AddressSpace {
  readonly family: Family;
  readonly size: bigint;
  readonly intervals: readonly AddressRange[];

  constructor(family: Family, intervals: readonly AddressRange[]) {
    this.family = family;
    this.intervals = intervals;
    this.size = intervals.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
  }

  /** Returns the address at `index` (0 to size - 1). */
  at(index: bigint): Ip {
    let remaining = index;
    for (const { first, last } of this.intervals) {
      const length = last - first + 1n;
      if (remaining < length) return fromNumber(first + remaining, this.family);
      remaining -= length;
    }
    throw new RangeError(`address index ${index} out of range: the pool has ${this.size} addresses`);
  }

  has(ip: Ip): boolean {
    if (getFamily(ip) !== this.family) return false;
    const value = toNumber(ip);
    return this.intervals.some(({ first, last }) => first <= value && value <= last);
  }

  /** Lists all addresses; only for a space as small as a block. */
  listAddresses(): readonly Ip[] {
    return this.intervals.flatMap(({ first, last }) =>
      Array.from({ length: Number(last - first) + 1 }, (_, index) => fromNumber(first + BigInt(index), this.family)),
    );
  }

  /** Finds the first free address. @returns undefined if no address is free */
  findFree(taken: (ip: Ip) => boolean): Ip | undefined {
    for (let index = 0n; index < this.size; index++) {
      const ip = this.at(index);
      if (!taken(ip)) return ip;
    }
    return undefined;
  }
}

export interface PoolSpaces {
  /** Prefix length of the subnet, used on the pods' links. */
  readonly prefixLength: number;
  readonly gateway?: Ip;
  /** Addresses for any pod. */
  readonly free: AddressSpace;
  /** `free` and the reserved addresses: those that a pod may request. */
  readonly all: AddressSpace;
}

/** Parses a pool. Throws one sentence for an invalid one; the CRD rejects most of these, but older objects may exist. */
export function parsePoolSpaces(spec: PoolSpec): PoolSpaces {
  const subnet = parseCidr(spec.subnet);
  const family = getFamily(subnet);
  const subnetRange = parseRange(subnet);
  const ranges = mergeRanges(spec.ranges.map(parseRange));
  for (const { first, last } of ranges)
    if (first < subnetRange.first || last > subnetRange.last)
      throw new Error(`a range is outside the subnet ${subnet}`);
  const gateway = spec.gateway === undefined ? undefined : parseIp(spec.gateway);
  const unusable = mergeRanges([
    ...spec.excluded.map(parseRange),
    ...(gateway === undefined ? [] : [parseRange(gateway)]),
    ...listReservedAddresses(subnet, subnetRange),
  ]);
  const all = subtractRanges(ranges, unusable);
  return {
    prefixLength: Number(subnet.split("/")[1]),
    ...(gateway === undefined ? {} : { gateway }),
    all: new AddressSpace(family, all),
    free: new AddressSpace(family, subtractRanges(all, mergeRanges(spec.reserved.map(parseRange)))),
  };
}

/** Network and broadcast address (RFC 919); IPv6: the subnet-router anycast address (RFC 4291, 2.6.1). None for /31 (RFC 3021). */
function listReservedAddresses(subnet: Cidr, { first, last }: AddressRange): readonly AddressRange[] {
  const ipv4 = getFamily(subnet) === "ipv4";
  if (last - first <= 1n) return [];
  return [{ first, last: first }, ...(ipv4 ? [{ first: last, last }] : [])];
}
