import ipaddr from "ipaddr.js";
import type { Family } from "../../datapath/address.ts";

/** A network as numbers; the host bits of the base address are zero. */
export interface Network {
  readonly family: Family;
  readonly base: bigint;
  readonly length: number;
}

const addresses = new Map<string, bigint>();
const networks = new Map<string, Network>();
/** Greatest size of each cache: enough for a snapshot with 5,000 Services. */
const MOST_CACHED = 100_000;

function addToCache<T>(cache: Map<string, T>, text: string, value: T): T {
  if (cache.size >= MOST_CACHED) cache.clear();
  cache.set(text, value);
  return value;
}

/**
 * Converts an address to its number in network order.
 *
 * @throws Error on invalid text
 */
export function parseAddress(text: string): bigint {
  const cached = addresses.get(text);
  if (cached !== undefined) return cached;
  const bytes = ipaddr.parse(text).toByteArray();
  return addToCache(addresses, text, BigInt(`0x${Buffer.from(bytes).toString("hex")}`));
}

/** Returns the family of an address or a network. */
export function getTextFamily(text: string): Family {
  return text.includes(":") ? "ipv6" : "ipv4";
}

const BITS = { ipv4: 32, ipv6: 128 } as const;

/** Clears the bits of an address after a prefix. */
export function maskAddress(address: bigint, family: Family, length: number): bigint {
  const hostBits = BigInt(BITS[family] - length);
  return (address >> hostBits) << hostBits;
}

/**
 * Parses a network in CIDR notation; an address alone is a network of one address.
 *
 * @throws Error on invalid text
 */
export function parseNetwork(text: string): Network {
  const cached = networks.get(text);
  if (cached !== undefined) return cached;
  const family = getTextFamily(text);
  const [address = "", length = String(BITS[family])] = text.split("/");
  const prefix = Number(length);
  const network = { family, base: maskAddress(parseAddress(address), family, prefix), length: prefix };
  return addToCache(networks, text, network);
}

/** Reports whether a network contains an address of its family. */
export function containsAddress(network: string, address: string): boolean {
  const { family, base, length } = parseNetwork(network);
  return getTextFamily(address) === family && maskAddress(parseAddress(address), family, length) === base;
}

/** Counts the leading bits that two addresses of a family share. */
export function countCommonBits(first: string, second: string): number {
  const difference = parseAddress(first) ^ parseAddress(second);
  return BITS[getTextFamily(first)] - (difference === 0n ? 0 : difference.toString(2).length);
}

export function isLinkLocal(address: string): boolean {
  return containsAddress(getTextFamily(address) === "ipv6" ? "fe80::/10" : "169.254.0.0/16", address);
}

export function isLoopback(address: string): boolean {
  return containsAddress(getTextFamily(address) === "ipv6" ? "::1/128" : "127.0.0.0/8", address);
}

export function isMulticast(address: string): boolean {
  return containsAddress(getTextFamily(address) === "ipv6" ? "ff00::/8" : "224.0.0.0/4", address);
}
