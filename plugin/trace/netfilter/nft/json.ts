import type { NftJson } from "./ruleset-json.ts";

/** Returns the key and value of an object with one key, as nft prints expressions and statements: `{"meta": {"key": "mark"}}`. */
export function readOnlyEntry(json: NftJson): readonly [string, NftJson] | undefined {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const entries = Object.entries(json);
  return entries.length === 1 ? entries[0] : undefined;
}

/** Returns a field of an object; undefined if there is none. */
export function readField(json: NftJson, name: string): NftJson {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  return (json as Readonly<Record<string, unknown>>)[name];
}

/** Returns a text field. Throws when it is something else. */
export function readTextField(json: NftJson, name: string): string {
  const value = readField(json, name);
  if (typeof value !== "string") throw new Error(`${name} in ${JSON.stringify(json)}`);
  return value;
}

/** Returns a text field, or the other text if there is none. Throws when it is something else. */
export function readOptionalText(json: NftJson, name: string, otherwise: string): string {
  return readField(json, name) === undefined ? otherwise : readTextField(json, name);
}

/** Returns an array. Throws when the value is something else. */
export function readArray(json: NftJson): readonly NftJson[] {
  if (!Array.isArray(json)) throw new Error(JSON.stringify(json));
  return json as readonly NftJson[];
}

/** Returns the value of an element without its timeout, counter and comment. */
export function unwrapElement(json: NftJson): NftJson {
  const [key, value] = readOnlyEntry(json) ?? [];
  return key === "elem" ? readField(value, "val") : json;
}
