import { readArray, readField, readOnlyEntry } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";

/** Notation of constants: hexadecimal for marks, quoted for link names. */
type Style = "plain" | "hexadecimal" | "quoted";

type Formatter = (content: NftJson, style: Style) => string;

/** Keys of meta that nft prints without the word `meta`. */
const UNQUALIFIED_META = new Set(["iif", "iifname", "iiftype", "oif", "oifname", "oiftype", "skuid", "skgid"]);
const QUOTED_META = new Set(["iif", "iifname", "oif", "oifname", "iifkind", "oifkind", "ibrname", "obrname"]);

/** Formats a word, number or constant. */
export function formatText(json: NftJson, style: Style = "plain"): string {
  if (json === true) return "exists";
  if (json === false) return "missing";
  if (typeof json === "number") return style === "hexadecimal" ? `0x${json.toString(16)}` : String(json);
  if (json === undefined) return "";
  if (typeof json !== "string") return JSON.stringify(json);
  return style === "quoted" && !json.startsWith("@") ? `"${json}"` : json;
}

function formatWords(content: NftJson, names: readonly string[]): string {
  return names.map((name) => formatText(readField(content, name))).join(" ");
}

function formatList(list: NftJson, separator: string, style: Style): string {
  return readArray(list)
    .map((item) => formatExpression(item, style))
    .join(separator);
}

function formatElement(json: NftJson, style: Style): string {
  if (!Array.isArray(json)) return formatExpression(json, style);
  return `${formatExpression(json[0], style)} : ${formatMapData(json[1])}`;
}

/** Formats the data of a map element: a verdict or a value. */
function formatMapData(json: NftJson): string {
  const [key, content] = readOnlyEntry(json) ?? [];
  if (key === "jump" || key === "goto") return `${key} ${formatWords(content, ["target"])}`;
  return key !== undefined && content === null ? key : formatExpression(json);
}

const EXPRESSION_FORMATTERS: Readonly<Record<string, Formatter>> = {
  payload: (content) =>
    readField(content, "base") === undefined
      ? formatWords(content, ["protocol", "field"])
      : `@${["base", "offset", "len"].map((name) => formatText(readField(content, name))).join(",")}`,
  meta: (content) => {
    const key = formatWords(content, ["key"]);
    return UNQUALIFIED_META.has(key) ? key : `meta ${key}`;
  },
  ct: (content) => `ct ${formatWords(content, readField(content, "dir") === undefined ? ["key"] : ["dir", "key"])}`,
  fib: (content) =>
    `fib ${formatList(readField(content, "flags"), " . ", "plain")} ${formatWords(content, ["result"])}`,
  numgen: (content) => `numgen ${formatWords(content, ["mode"])} mod ${formatWords(content, ["mod"])}`,
  jhash: (content) => `jhash ${formatExpression(readField(content, "expr"))} mod ${formatWords(content, ["mod"])}`,
  symhash: (content) => `symhash mod ${formatWords(content, ["mod"])}`,
  rt: (content) => `rt ${formatWords(content, ["key"])}`,
  socket: (content) => `socket ${formatWords(content, ["key"])}`,
  "tcp option": (content) =>
    `tcp option ${formatWords(content, readField(content, "field") === undefined ? ["name"] : ["name", "field"])}`,
  concat: (content, style) => formatList(content, " . ", style),
  range: (content, style) => formatList(content, "-", style),
  prefix: (content) => `${formatExpression(readField(content, "addr"))}/${formatWords(content, ["len"])}`,
  set: (content, style) =>
    `{ ${[content]
      .flat()
      .map((element) => formatElement(element, style))
      .join(", ")} }`,
  map: (content) =>
    `${formatExpression(readField(content, "key"))} map ${formatExpression(readField(content, "data"))}`,
  elem: (content, style) => formatExpression(readField(content, "val"), style),
  ...Object.fromEntries(
    ["&", "|", "^", "<<", ">>"].map((operator) => [
      operator,
      (content: NftJson) => formatList(content, ` ${operator} `, selectStyle(content)),
    ]),
  ),
};

/** Selects the notation of constants that are compared or combined with an expression. */
export function selectStyle(json: NftJson): Style {
  const [key, content] = readOnlyEntry(Array.isArray(json) ? json[0] : json) ?? [];
  const name = readField(content, "key");
  if ((key === "meta" || key === "ct") && name === "mark") return "hexadecimal";
  if (key === "meta" && QUOTED_META.has(String(name))) return "quoted";
  return Array.isArray(content) && key !== "concat" ? selectStyle(content) : "plain";
}

/** Formats an expression similarly to `nft`. */
export function formatExpression(json: NftJson, style: Style = "plain"): string {
  if (Array.isArray(json)) return json.map((item) => formatExpression(item, style)).join(",");
  const [key = "", content] = readOnlyEntry(json) ?? [];
  return EXPRESSION_FORMATTERS[key]?.(content, style) ?? formatText(json, style);
}
