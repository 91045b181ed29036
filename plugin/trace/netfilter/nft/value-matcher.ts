import { type AddressNumber, computePrefixRange, parseAddressNumber } from "../model/address-number.ts";
import type { Datatype } from "./datatype.ts";
import { readArray, readField, readOnlyEntry, readTextField, unwrapElement } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";
import { formatValueKey, type Value } from "./value.ts";

export type ValueTest = (value: Value) => boolean;

/** Type of a key, or types of the parts of a concatenation. */
export type KeyType = Datatype | readonly Datatype[];

/**
 * Compiles a constant, prefix, range or concatenation into a test.
 *
 * @returns The value itself if only that value is equal to it.
 * @throws if the constant is not of the type
 */
function compileConstant(json: NftJson, type: KeyType): { readonly value: Value } | { readonly test: ValueTest } {
  if (isTypeList(type)) return compileConcatenation(json, type);
  const [key, content] = readOnlyEntry(json) ?? [];
  if (key === "prefix") {
    const length = readField(content, "len");
    const { first, last } = computePrefixRange(parseAddressNumber(readTextField(content, "addr")), Number(length));
    return { test: createRangeTest(first, last) };
  }
  if (key === "range") {
    const [first, last] = readArray(content).map((limit) => type.parse(limit));
    if (!isNumber(first) || !isNumber(last)) throw new Error(`range ${JSON.stringify(content)}`);
    return { test: createRangeTest(first, last) };
  }
  if (type.name === "ifname" && typeof json === "string" && json.endsWith("*")) {
    const prefix = json.slice(0, -1);
    return { test: (value) => typeof value === "string" && value.startsWith(prefix) };
  }
  return { value: type.parse(json) };
}

/** Compiles a constant into a test. */
export function compileTest(json: NftJson, type: KeyType): ValueTest {
  const constant = compileConstant(json, type);
  if ("test" in constant) return constant.test;
  const key = formatValueKey(constant.value);
  return (value) => formatValueKey(value) === key;
}

function compileConcatenation(json: NftJson, types: readonly Datatype[]): ReturnType<typeof compileConstant> {
  const parts = readArray(readField(json, "concat")).map((part, index) => {
    const type = types[index];
    if (type === undefined) throw new Error(JSON.stringify(json));
    return compileConstant(part, type);
  });
  if (parts.length !== types.length) throw new Error(JSON.stringify(json));
  if (parts.every((part) => "value" in part)) return { value: parts.map(({ value }) => value) };
  const tests = parts.map((part) => {
    if ("test" in part) return part.test;
    return (value: Value) => value === part.value;
  });
  return {
    test: (value) =>
      Array.isArray(value) &&
      tests.every((test, index) => {
        const part = (value as readonly Value[])[index];
        return part !== undefined && test(part);
      }),
  };
}

function isTypeList(type: KeyType): type is readonly Datatype[] {
  return Array.isArray(type);
}

function isNumber(value: Value | undefined): value is AddressNumber {
  return typeof value === "number" || typeof value === "bigint";
}

function createRangeTest(first: AddressNumber, last: AddressNumber): ValueTest {
  return (value) => isNumber(value) && typeof value === typeof first && value >= first && value <= last;
}

/** Elements of a set or map with their data. */
export interface ElementIndex<Data> {
  readonly find: (value: Value) => { readonly data: Data } | undefined;
}

/**
 * Indexes the elements of a set or map.
 *
 * @param elements Pairs of an element as nft prints it and its data.
 * @throws if an element is not of the type
 */
export function indexElements<Data>(
  elements: readonly { readonly element: NftJson; readonly data: Data }[],
  type: KeyType,
): ElementIndex<Data> {
  const exact = new Map<string | number | bigint, { readonly data: Data }>();
  const tests: { readonly test: ValueTest; readonly entry: { readonly data: Data } }[] = [];
  let catchAll: { readonly data: Data } | undefined;
  for (const { element, data } of elements) {
    const key = unwrapElement(element);
    if (key === "*") {
      catchAll = { data };
      continue;
    }
    const constant = compileConstant(key, type);
    if ("value" in constant) exact.set(formatValueKey(constant.value), { data });
    else tests.push({ test: constant.test, entry: { data } });
  }
  return {
    find: (value) => exact.get(formatValueKey(value)) ?? tests.find(({ test }) => test(value))?.entry ?? catchAll,
  };
}
