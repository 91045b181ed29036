import type { AddressNumber } from "../model/address-number.ts";

/** A value in a register: a number, an address, a text such as a link name, or a concatenation. */
export type Value = AddressNumber | string | boolean | readonly Value[];

/**
 * Value that an expression reads from a packet. `absent`: the packet has no such field, and the rule does not match.
 * `choice`: one of several values with their probabilities. `undecided`: neither packet nor snapshot has the value.
 */
export type Reading =
  | { readonly kind: "value"; readonly value: Value }
  | { readonly kind: "absent" }
  | { readonly kind: "choice"; readonly values: readonly { readonly value: Value; readonly probability: number }[] }
  | { readonly kind: "undecided"; readonly reason: string };

export const ABSENT: Reading = { kind: "absent" };

/** Creates the reading of a value, `absent` for undefined. */
export function toReading(value: Value | undefined): Reading {
  return value === undefined ? ABSENT : { kind: "value", value };
}

/** Maps the value of a reading, or each value of a choice. */
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

/** Combines several readings to one with a list of values; the first absent or undecided reading is the result. */
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
export function mapReadings(left: Reading, right: Reading, combine: (left: Value, right: Value) => Value): Reading {
  if (left.kind === "absent" || right.kind === "absent") return ABSENT;
  if (left.kind === "undecided") return left;
  if (right.kind === "undecided") return right;
  if (left.kind === "value") return mapReading(right, (value) => combine(left.value, value));
  if (right.kind === "value") return mapReading(left, (value) => combine(value, right.value));
  return {
    kind: "choice",
    values: left.values.flatMap((first) =>
      right.values.map((second) => ({
        value: combine(first.value, second.value),
        probability: first.probability * second.probability,
      })),
    ),
  };
}

/** Formats a value as the key of an index. */
export function formatValueKey(value: Value): string | number | bigint {
  if (typeof value === "number" || typeof value === "bigint") return value;
  return Array.isArray(value) ? value.map(formatValueKey).join("|") : String(value);
}
