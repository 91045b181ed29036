import ipaddr from "ipaddr.js";
import { type Cidr, contains, familyOf, type Ip, parseIp } from "../datapath/address.ts";

/** A pool as the network team wrote it: what may be given to pods. */
export interface Pool {
  readonly name: string;
  readonly subnet: Cidr;
  /** Networks or `first-last`, all inside the subnet. */
  readonly ranges: readonly AddressRange[];
  readonly excluded: readonly Ip[];
  readonly gateway?: Ip;
  /** Smaller first. */
  readonly priority: number;
}

/** Both ends included. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

export function toNumber(ip: Ip): bigint {
  return ipaddr
    .parse(ip)
    .toByteArray()
    .reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

export function fromNumber(value: bigint, like: Cidr): Ip {
  const length = familyOf(like) === "ipv4" ? 4 : 16;
  const bytes = Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
  return parseIp(ipaddr.fromByteArray(bytes).toString());
}

/** `10.7.200.0/24` or `10.7.200.10-10.7.200.20`. Throws on what is neither. */
export function parseRange(text: string): AddressRange {
  const [first, last, ...rest] = text.split("-");
  if (first === undefined || rest.length > 0) throw new Error(`"${text}" is no address range`);
  if (last !== undefined) {
    const range = { first: toNumber(parseIp(first.trim())), last: toNumber(parseIp(last.trim())) };
    if (range.first > range.last) throw new Error(`the range "${text}" ends before it begins`);
    return range;
  }
  const [address, length] = ipaddr.parseCIDR(first.trim());
  const bits = address.kind() === "ipv4" ? 32 : 128;
  const size = 1n << BigInt(bits - length);
  const base = (toNumber(parseIp(address.toString())) / size) * size;
  return { first: base, last: base + size - 1n };
}

/** Every address of the pool in order: ranges but for exclusions, the gateway, and the subnet's own two. */
export function* candidates(pool: Pool): Generator<Ip> {
  const whole = parseRange(pool.subnet);
  const never = new Set<bigint>([
    ...pool.excluded.map(toNumber),
    ...(pool.gateway === undefined ? [] : [toNumber(pool.gateway)]),
    // RFC 919 broadcast and the network's own address; IPv6's first is the routers' anycast (RFC 4291, 2.6.1)
    whole.first,
    ...(familyOf(pool.subnet) === "ipv4" ? [whole.last] : []),
  ]);
  for (const { first, last } of pool.ranges)
    for (let value = first; value <= last; value++) {
      if (never.has(value)) continue;
      const ip = fromNumber(value, pool.subnet);
      if (contains(pool.subnet, ip)) yield ip;
    }
}

/** How many addresses the pool can give in all. Bounded: an IPv6 range can be larger than anything that counts. */
export function size(pool: Pool, bound = 1_000_000): number {
  let count = 0;
  for (const address of candidates(pool)) if (address !== "" && ++count >= bound) break;
  return count;
}

/** The first free addresses of the first pools, by priority and name, one a family; undefined names the lack. */
export function choosePools(pools: readonly Pool[]): readonly Pool[] {
  return [...pools].sort((a, b) => a.priority - b.priority || a.name.localeCompare(b.name));
}

/** Prefix length of the pool's subnet: what the pod's link gets. */
export function prefixLength(pool: Pool): number {
  return Number(pool.subnet.split("/")[1]);
}
