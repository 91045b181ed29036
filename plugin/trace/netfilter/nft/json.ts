/**
 * Reads the JSON of nft. The message of an error is the part that could not be read: it becomes the reason of a verdict `unknown`.
 */
import type { NftJson } from "./ruleset-json.ts";

/**
 * Returns the key and value of an object with one key, like the expressions and statements of nft: `{"meta": {"key": "mark"}}`.
 *
 * @returns undefined for any other value
 */
export function readOnlyEntry(json: NftJson): readonly [string, NftJson] | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const entries = Object.entries(json);
  return entries.length === 1 ? entries[0] : undefined;
}

/** Returns a field of an object; undefined if the object does not have it. */
export function readField(json: NftJson, name: string): NftJson {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  return (json as Readonly<Record<string, unknown>>)[name];
}

/** Returns a text field. @throws if it is missing or not a text */
export function readTextField(json: NftJson, name: string): string {
  const value = readField(json, name);
  if (typeof value !== "string") throw new Error(`${name} in ${JSON.stringify(json)}`);
  return value;
}

/** Returns a text field, or `fallback` if it is missing. @throws if it is not a text */
export function readOptionalText(json: NftJson, name: string, fallback: string): string {
  return readField(json, name) === undefined ? fallback : readTextField(json, name);
}

/** Returns a value that must be an array. @throws if it is not */
export function readArray(json: NftJson): readonly NftJson[] {
  if (!Array.isArray(json)) throw new Error(JSON.stringify(json));
  return json as readonly NftJson[];
}

/** Returns the value of a set element, without the timeout, counter and comment that nft may wrap around it. */
export function unwrapElement(json: NftJson): NftJson {
  const [key, value] = readOnlyEntry(json) ?? [];
  return key === "elem" ? readField(value, "val") : json;
}
