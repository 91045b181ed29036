import { formatExpression, formatText, selectStyle } from "./format-expression.ts";
import { readField, readOnlyEntry } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";

type Formatter = (content: NftJson) => string;

function formatNat(name: string): Formatter {
  return (content) => {
    const [family, address, port, flags] = ["family", "addr", "port", "flags"].map((key) => {
      const value = readField(content, key);
      return value === undefined ? "" : formatExpression(value);
    });
    const target = `${address ?? ""}${port === "" ? "" : `:${port ?? ""}`}`;
    return [name, family, target === "" ? "" : `to ${target}`, flags].filter((word) => word !== "").join(" ");
  };
}

function formatMatch(content: NftJson): string {
  const left = readField(content, "left");
  const right = formatExpression(readField(content, "right"), selectStyle(left));
  const operator = formatText(readField(content, "op"));
  // nft prints `==` only if the left side has an operator.
  const hasOperator = ["&", "|", "^", "<<", ">>"].includes(readOnlyEntry(left)?.[0] ?? "");
  const isImplied = operator === "in" || (operator === "==" && !hasOperator);
  return [formatExpression(left), ...(isImplied ? [] : [operator]), right].join(" ");
}

function formatReject(content: NftJson): string {
  const words = ["type", "expr"].flatMap((key) => {
    const value = readField(content, key);
    return value === undefined ? [] : [formatText(value)];
  });
  return words.length === 0 ? "reject" : `reject with ${words.join(" ")}`;
}

const STATEMENTS: Readonly<Record<string, Formatter>> = {
  match: formatMatch,
  vmap: (content) =>
    `${formatExpression(readField(content, "key"))} vmap ${formatExpression(readField(content, "data"), selectStyle(readField(content, "key")))}`,
  mangle: (content) => {
    const key = readField(content, "key");
    return `${formatExpression(key)} set ${formatExpression(readField(content, "value"), selectStyle(key))}`;
  },
  set: (content) =>
    `${formatText(readField(content, "op"))} ${formatText(readField(content, "set"))} { ${formatExpression(readField(content, "elem"))} }`,
  reject: formatReject,
  limit: (content) => `limit rate ${formatText(readField(content, "rate"))}/${formatText(readField(content, "per"))}`,
  log: (content) => {
    const prefix = readField(content, "prefix");
    return prefix === undefined ? "log" : `log prefix "${formatText(prefix)}"`;
  },
  xt: (content) => `xt ${formatText(readField(content, "type"))} ${formatText(readField(content, "name"))}`,
  jump: (content) => `jump ${formatText(readField(content, "target"))}`,
  goto: (content) => `goto ${formatText(readField(content, "target"))}`,
  ...Object.fromEntries(["dnat", "snat", "masquerade", "redirect"].map((name) => [name, formatNat(name)])),
};

/** Formats a statement similarly to `nft`, without counters. */
export function formatNftStatement(json: NftJson): string {
  const [key = "", content] = readOnlyEntry(json) ?? [];
  if (key === "") return formatText(json);
  return STATEMENTS[key]?.(content) ?? (content === null ? key : `${key} ${JSON.stringify(content)}`);
}

/** Formats a rule without its counters. */
export function formatNftRule(expressions: readonly NftJson[], comment?: string): string {
  const statements = expressions.filter((json) => readOnlyEntry(json)?.[0] !== "counter").map(formatNftStatement);
  return [...statements, ...(comment === undefined ? [] : [`comment "${comment}"`])].join(" ");
}
