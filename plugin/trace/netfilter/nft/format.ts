import { readArray, readField, readOnlyEntry } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";

/** Keys of meta that nft writes without the word. */
const UNQUALIFIED_META = new Set(["iif", "iifname", "iiftype", "oif", "oifname", "oiftype", "skuid", "skgid"]);

type Formatter = (content: NftJson) => string;

function formatList(list: NftJson, separator: string): string {
  return readArray(list).map(formatExpression).join(separator);
}

function formatText(json: NftJson): string {
  if (json === true) return "exists";
  if (json === false) return "missing";
  return typeof json === "string" || typeof json === "number" ? String(json) : JSON.stringify(json);
}

function formatElement(json: NftJson): string {
  if (!Array.isArray(json)) return formatExpression(json);
  return `${formatExpression(json[0])} : ${formatStatementOrValue(json[1])}`;
}

const EXPRESSIONS: Readonly<Record<string, Formatter>> = {
  payload: (content) =>
    readField(content, "base") === undefined
      ? `${formatText(readField(content, "protocol"))} ${formatText(readField(content, "field"))}`
      : `@${["base", "offset", "len"].map((name) => formatText(readField(content, name))).join(",")}`,
  meta: (content) => {
    const key = formatText(readField(content, "key"));
    return UNQUALIFIED_META.has(key) ? key : `meta ${key}`;
  },
  ct: (content) => {
    const direction = readField(content, "dir");
    return `ct ${direction === undefined ? "" : `${formatText(direction)} `}${formatText(readField(content, "key"))}`;
  },
  fib: (content) => `fib ${formatList(readField(content, "flags"), " . ")} ${formatText(readField(content, "result"))}`,
  numgen: (content) => `numgen ${formatText(readField(content, "mode"))} mod ${formatText(readField(content, "mod"))}`,
  jhash: (content) =>
    `jhash ${formatExpression(readField(content, "expr"))} mod ${formatText(readField(content, "mod"))}`,
  symhash: (content) => `symhash mod ${formatText(readField(content, "mod"))}`,
  rt: (content) => `rt ${formatText(readField(content, "key"))}`,
  socket: (content) => `socket ${formatText(readField(content, "key"))}`,
  "tcp option": (content) =>
    `tcp option ${formatText(readField(content, "name"))} ${formatText(readField(content, "field") ?? "")}`.trimEnd(),
  concat: (content) => formatList(content, " . "),
  range: (content) => formatList(content, "-"),
  prefix: (content) => `${formatExpression(readField(content, "addr"))}/${formatText(readField(content, "len"))}`,
  set: (content) => `{ ${(Array.isArray(content) ? content : [content]).map(formatElement).join(", ")} }`,
  map: (content) =>
    `${formatExpression(readField(content, "key"))} map ${formatExpression(readField(content, "data"))}`,
  elem: (content) => formatExpression(readField(content, "val")),
  ...Object.fromEntries(
    ["&", "|", "^", "<<", ">>"].map((operator) => [
      operator,
      (content: NftJson) => formatList(content, ` ${operator} `),
    ]),
  ),
};

/** Formats an expression close to how `nft` writes it. */
export function formatExpression(json: NftJson): string {
  if (Array.isArray(json)) return json.map(formatExpression).join(",");
  const [key = "", content] = readOnlyEntry(json) ?? [];
  return EXPRESSIONS[key]?.(content) ?? formatText(json);
}

function formatStatementOrValue(json: NftJson): string {
  const [key = ""] = readOnlyEntry(json) ?? [];
  return key in STATEMENTS ? formatNftStatement(json) : formatExpression(json);
}

function formatNat(name: string): Formatter {
  return (content) => {
    const address = readField(content, "addr");
    const port = readField(content, "port");
    const family = readField(content, "family");
    const target = [
      ...(address === undefined ? [] : [formatExpression(address)]),
      ...(port === undefined ? [] : [`:${formatExpression(port)}`]),
    ].join("");
    return `${name}${family === undefined ? "" : ` ${formatText(family)}`}${target === "" ? "" : ` to ${target}`}`;
  };
}

function formatTarget(name: string): Formatter {
  return (content) => `${name} ${formatText(readField(content, "target"))}`;
}

function formatWord(name: string): [string, Formatter] {
  return [name, () => name];
}

const STATEMENTS: Readonly<Record<string, Formatter>> = {
  match: (content) => {
    const operator = readField(content, "op");
    const isImplied = operator === "==" || operator === "in";
    const parts = [readField(content, "left"), readField(content, "right")].map(formatExpression);
    return parts.join(isImplied ? " " : ` ${formatText(operator)} `);
  },
  vmap: (content) =>
    `${formatExpression(readField(content, "key"))} vmap ${formatExpression(readField(content, "data"))}`,
  mangle: (content) =>
    `${formatExpression(readField(content, "key"))} set ${formatExpression(readField(content, "value"))}`,
  set: (content) =>
    `${formatText(readField(content, "op"))} ${formatText(readField(content, "set"))} { ${formatExpression(readField(content, "elem"))} }`,
  reject: (content) => {
    const type = readField(content, "type");
    const reason = readField(content, "expr");
    return [
      "reject",
      ...(type === undefined ? [] : ["with", formatText(type)]),
      ...(reason === undefined ? [] : [formatText(reason)]),
    ].join(" ");
  },
  limit: (content) => `limit rate ${formatText(readField(content, "rate"))}/${formatText(readField(content, "per"))}`,
  log: (content) => {
    const prefix = readField(content, "prefix");
    return prefix === undefined ? "log" : `log prefix "${formatText(prefix)}"`;
  },
  xt: (content) => `xt ${formatText(readField(content, "type"))} ${formatText(readField(content, "name"))}`,
  jump: formatTarget("jump"),
  goto: formatTarget("goto"),
  dnat: formatNat("dnat"),
  snat: formatNat("snat"),
  masquerade: formatNat("masquerade"),
  redirect: formatNat("redirect"),
  ...Object.fromEntries(["accept", "drop", "return", "continue", "counter", "notrack"].map(formatWord)),
};

/** Formats a statement close to how `nft` writes it, without counters. */
export function formatNftStatement(json: NftJson): string {
  const [key = "", content] = readOnlyEntry(json) ?? [];
  return STATEMENTS[key]?.(content) ?? (key === "" ? formatText(json) : `${key} ${JSON.stringify(content)}`);
}

/** Formats a rule without its counters. */
export function formatNftRule(expressions: readonly NftJson[], comment?: string): string {
  const statements = expressions.filter((json) => readOnlyEntry(json)?.[0] !== "counter").map(formatNftStatement);
  return [...statements, ...(comment === undefined ? [] : [`comment "${comment}"`])].join(" ");
}
