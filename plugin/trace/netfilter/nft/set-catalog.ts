import { readArray, readField, unwrapElement } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";
import { formatValueKey, type Value } from "./value.ts";
import { type ElementIndex, indexElements, type KeyType } from "./value-matcher.ts";

/** Sets and maps of a table, indexed when a rule that uses them is compiled. */
export interface SetCatalog {
  /** Indexes a named (`@NAME`) or anonymous (`{"set": […]}`) set. Throws when it is missing or not of the type. */
  readonly indexSet: (json: NftJson, type: KeyType) => ElementIndex<true>;
  /** Indexes a map; `parseData` converts what each element maps to. */
  readonly indexMap: <Data>(json: NftJson, type: KeyType, parseData: (data: NftJson) => Data) => ElementIndex<Data>;
  /** Returns the elements of a named or anonymous set or map. */
  readonly listElements: (json: NftJson) => readonly NftJson[];
  /** Returns the name that the table's named set has in the whole namespace; undefined for an anonymous one. */
  readonly findQualifiedName: (json: NftJson) => string | undefined;
}

/** Text of a dynamic element's key. */
export function formatElementKey(value: Value): string {
  return Array.isArray(value) ? value.map(formatValueKey).join(" . ") : String(formatValueKey(value));
}

/**
 * Makes the catalog of a table.
 *
 * @param table Family and name of the table.
 * @param named Elements of the named sets and maps.
 */
export function createSetCatalog(table: string, named: ReadonlyMap<string, readonly NftJson[]>): SetCatalog {
  const known = new Map<string, ElementIndex<true>>();
  const findName = (json: NftJson) => (typeof json === "string" && json.startsWith("@") ? json.slice(1) : undefined);

  const listElements = (json: NftJson): readonly NftJson[] => {
    const name = findName(json);
    if (name === undefined) return readArray(readField(json, "set"));
    const elements = named.get(name);
    if (elements === undefined) throw new Error(`set @${name} is not in the snapshot`);
    return elements;
  };
  const createSetIndex = (json: NftJson, type: KeyType) =>
    indexElements(
      listElements(json).map((element) => ({ element, data: true as const })),
      type,
    );

  return {
    listElements,
    findQualifiedName: (json) => {
      const name = findName(json);
      return name === undefined ? undefined : `${table} ${name}`;
    },
    indexSet: (json, type) => {
      const name = findName(json);
      if (name === undefined) return createSetIndex(json, type);
      const key = `${name} ${[type]
        .flat()
        .map((part) => part.name)
        .join(" ")}`;
      const index = known.get(key) ?? createSetIndex(json, type);
      known.set(key, index);
      return index;
    },
    indexMap: (json, type, parseData) =>
      indexElements(
        listElements(json).map((pair) => {
          const [element, data] = readArray(unwrapElement(pair));
          return { element, data: parseData(data) };
        }),
        type,
      ),
  };
}
