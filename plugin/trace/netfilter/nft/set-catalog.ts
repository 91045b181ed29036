import { readArray, readField, unwrapElement } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";
import { formatValueKey, type Value } from "./value.ts";
import { type ElementIndex, indexElements, type KeyType } from "./value-matcher.ts";

/** Sets and maps of a table, indexed when a rule that uses them is compiled. */
export interface SetCatalog {
  /**
   * Indexes a named (`@NAME`) or anonymous (`{"set": […]}`) set.
   *
   * @throws if the set is not in the snapshot, or an element is not of the type
   */
  readonly indexSet: (json: NftJson, type: KeyType) => ElementIndex<true>;
  /** Indexes a map; `parseData` converts the data of each element. */
  readonly indexMap: <Data>(json: NftJson, type: KeyType, parseData: (data: NftJson) => Data) => ElementIndex<Data>;
  /** Returns the elements of a named or anonymous set or map. */
  readonly listElements: (json: NftJson) => readonly NftJson[];
  /** Returns the name of a named set with its table, which is unique in a network namespace; undefined for an anonymous set. */
  readonly findQualifiedName: (json: NftJson) => string | undefined;
}

/** Returns the text of the key of an element that a rule adds to a set. */
export function formatElementKey(value: Value): string {
  return Array.isArray(value) ? value.map(formatValueKey).join(" . ") : String(formatValueKey(value));
}

/**
 * Creates the catalog of a table.
 *
 * @param table family and name of the table
 * @param elementsByName elements of the named sets and maps
 */
export function createSetCatalog(table: string, elementsByName: ReadonlyMap<string, readonly NftJson[]>): SetCatalog {
  const indexes = new Map<string, ElementIndex<true>>();
  const findName = (json: NftJson) => (typeof json === "string" && json.startsWith("@") ? json.slice(1) : undefined);

  const listElements = (json: NftJson): readonly NftJson[] => {
    const name = findName(json);
    if (name === undefined) return readArray(readField(json, "set"));
    const elements = elementsByName.get(name);
    if (elements === undefined) throw new Error(`set @${name} of table ${table} is not in the snapshot`);
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
      const index = indexes.get(key) ?? createSetIndex(json, type);
      indexes.set(key, index);
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
