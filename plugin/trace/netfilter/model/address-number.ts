import ipaddr from "ipaddr.js";

/** An address as a number: IPv4 as `number`, IPv6 as `bigint`, so that the two families never compare as equal. */
export type AddressNumber = number | bigint;

/** Addresses from the first to the last one, both included. */
export interface AddressNumberRange {
  readonly first: AddressNumber;
  readonly last: AddressNumber;
}

/** Cache of parsed addresses: every rule that compares addresses parses the packet's. */
const numbers = new Map<string, AddressNumber>();
const MAX_CACHED = 65_536;

/** Converts an address to its number. @throws on invalid text */
export function parseAddressNumber(text: string): AddressNumber {
  const cached = numbers.get(text);
  if (cached !== undefined) return cached;
  const number = computeAddressNumber(text);
  if (numbers.size >= MAX_CACHED) numbers.clear();
  numbers.set(text, number);
  return number;
}

function computeAddressNumber(text: string): AddressNumber {
  if (!text.includes(":") && !ipaddr.IPv4.isValidFourPartDecimal(text)) throw new Error(`invalid IP address "${text}"`);
  const bytes = ipaddr.parse(text).toByteArray();
  return bytes.length === 4
    ? bytes.reduce((number, byte) => number * 256 + byte, 0)
    : bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** Converts a number to the canonical text of its address. */
export function formatAddressNumber(address: AddressNumber): string {
  const count = typeof address === "number" ? 4 : 16;
  const bytes = Array.from({ length: count }, (_, index) =>
    Number((BigInt(address) >> BigInt(8 * (count - 1 - index))) & 0xffn),
  );
  return ipaddr.fromByteArray(bytes).toString();
}

/** Parses `ADDRESS`, `ADDRESS/LENGTH` or `FIRST-LAST`. @throws on invalid text */
export function parseAddressRange(text: string): AddressNumberRange {
  const [first = "", last] = text.split("-");
  if (last !== undefined) return { first: parseAddressNumber(first), last: parseAddressNumber(last) };
  const [address = "", length] = text.split("/");
  return computePrefixRange(parseAddressNumber(address), length === undefined ? undefined : Number(length));
}

/** Returns the range of a network, whatever the host bits of its address are. */
export function computePrefixRange(address: AddressNumber, length?: number): AddressNumberRange {
  if (typeof address === "number") {
    const size = 2 ** (32 - (length ?? 32));
    const first = address - (address % size);
    return { first, last: first + size - 1 };
  }
  const size = 1n << BigInt(128 - (length ?? 128));
  const first = address - (address % size);
  return { first, last: first + size - 1n };
}

/** Reports whether a range contains an address of the same family. */
export function includesAddress({ first, last }: AddressNumberRange, address: AddressNumber): boolean {
  return typeof address === typeof first && address >= first && address <= last;
}
