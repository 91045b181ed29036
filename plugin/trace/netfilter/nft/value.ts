import type { AddressNumber } from "../model/address-number.ts";

/** A value in a register: numbers, addresses, text such as the name of a link, or a concatenation. */
export type Value = AddressNumber | string | boolean | readonly Value[];

/**
 * Value that an expression reads from a packet. `absent`: the packet has no such field, and the rule does not match.
 * `choice`: any value of the given shares. `undecided`: neither packet nor snapshot has it.
 */
export type Reading =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "absent" }
  | { readonly kind: "choice"; readonly values: readonly { readonly value: Value; readonly probability: number }[] }
  | { readonly kind: "undecided"; readonly reason: string };

export const ABSENT: Reading = { kind: "absent" };

/** Makes the reading of a value, `absent` for undefined. */
export function toReading(value: Value | undefined): Reading {
  return value === undefined ? ABSENT : { kind: "value", value };
}

/** Changes the value of a reading, for each of its choices. */
export function mapReading(reading: Reading, change: (value: Value) => Value | undefined): Reading {
  if (reading.kind === "value") return toReading(change(reading.value));
  if (reading.kind !== "choice") return reading;
  const values = reading.values.flatMap(({ value, probability }) => {
    const changed = change(value);
    return changed === undefined ? [] : [{ value: changed, probability }];
  });
  if (values.length === 0) return ABSENT;
  if (values.length < reading.values.length) return { kind: "undecided", reason: "a map without all random keys" };
  return { kind: "choice", values };
}

/** Reads several expressions as one; the first that is not a value decides. */
export function combineReadings(readings: readonly Reading[]): Reading {
  let combined: Reading = { kind: "value", value: [] };
  for (const reading of readings) {
    if (reading.kind === "absent") return ABSENT;
    if (reading.kind === "undecided") return reading;
    combined = appendReading(combined, reading);
  }
  return combined;
}

function appendReading(before: Reading, next: Reading): Reading {
  return mapReadings(before, next, (list, value) => [...(list as readonly Value[]), value]);
}

/** Combines each value of one reading with each of another. */
export function mapReadings(one: Reading, other: Reading, combine: (one: Value, other: Value) => Value): Reading {
  if (one.kind === "absent" || other.kind === "absent") return ABSENT;
  if (one.kind === "undecided") return one;
  if (other.kind === "undecided") return other;
  if (one.kind === "value") return mapReading(other, (value) => combine(one.value, value));
  if (other.kind === "value") return mapReading(one, (value) => combine(value, other.value));
  return {
    kind: "choice",
    values: one.values.flatMap((first) =>
      other.values.map((second) => ({
        value: combine(first.value, second.value),
        probability: first.probability * second.probability,
      })),
    ),
  };
}

/** Writes a value as the key of an index. */
export function formatValueKey(value: Value): string | number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  return Array.isArray(value) ? value.map(formatValueKey).join("|") : String(value);
}
