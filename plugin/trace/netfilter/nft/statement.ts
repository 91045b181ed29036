import { exemptFromConntrack } from "../model/packet-change.ts";
import {
  BREAK,
  type Chain,
  CONTINUE,
  CONTINUE_ALWAYS,
  createUndecidable,
  createUnsupported,
  type Result,
  type RuleStatement,
} from "../model/ruleset.ts";
import { compileExpression } from "./compile-expression.ts";
import { formatNftStatement } from "./format-rule.ts";
import { readArray, readField, readOnlyEntry, readOptionalText } from "./json.ts";
import { compileMangle } from "./mangle.ts";
import { compileMatch, decideReading } from "./match.ts";
import { compileNat } from "./nat.ts";
import type { NftJson } from "./ruleset-json.ts";
import { formatElementKey, type SetCatalog } from "./set-catalog.ts";
import { parseVerdict } from "./parse-verdict.ts";

/** Objects that the statements of a rule may refer to. */
export interface NftScope {
  readonly sets: SetCatalog;
  /** Returns a chain of the same table. */
  readonly findChain: (name: string) => Chain | undefined;
}

type StatementCompiler = (content: NftJson, scope: NftScope) => RuleStatement;

/** Statements that do not affect a packet's path. */
const WITHOUT_EFFECT = [
  "comment",
  "counter",
  "ct expectation",
  "ct helper",
  "ct timeout",
  "dup",
  "flow",
  "last",
  "log",
  "secmark",
];

/** Statements that match by a rate or a number of packets, bytes or connections. */
const UNDECIDABLE = ["ct count", "limit", "meter", "quota"];

/** Statements that have no effect at the end of a rule. */
const IDLE = new Set(["match", ...WITHOUT_EFFECT, ...UNDECIDABLE]);

function compileReject(content: NftJson): RuleStatement {
  const type = readOptionalText(content, "type", "icmpx");
  const rejectWith =
    type === "tcp reset" ? "tcp-reset" : `${type}-${readOptionalText(content, "expr", "port-unreachable")}`;
  return () => ({ kind: "reject", rejectWith });
}

function compileVerdictMap(content: NftJson, { sets, findChain }: NftScope): RuleStatement {
  const key = compileExpression(readField(content, "key"), sets);
  const index = sets.indexMap<Result>(
    readField(content, "data"),
    key.type,
    (json) => parseVerdict(json, findChain) ?? { kind: "unknown", reason: JSON.stringify(json) },
  );
  return (packet, context) => decideReading(key.read(packet, context), (value) => index.find(value)?.data ?? BREAK);
}

/** Compiles `update @set { … }`: the element is in the set for the rest of the trace. */
function compileSetUpdate(content: NftJson, { sets }: NftScope): RuleStatement {
  const name = sets.findQualifiedName(readField(content, "set"));
  if (name === undefined || readField(content, "op") === "delete") return CONTINUE_ALWAYS;
  const statements = readField(content, "stmt");
  const limits = statements === undefined ? [] : readArray(statements).filter(isUndecidableStatement);
  if (limits.length > 0) return createUndecidable(limits.map(formatNftStatement).join(" "));
  const key = compileExpression(readField(content, "elem"), sets);
  return (packet, context) =>
    decideReading(key.read(packet, context), (value) => {
      context.lookups.addElement({ set: name, key: formatElementKey(value) });
      return CONTINUE;
    });
}

function isUndecidableStatement(json: NftJson): boolean {
  return UNDECIDABLE.includes(readOnlyEntry(json)?.[0] ?? "");
}

const COMPILERS: Readonly<Record<string, StatementCompiler>> = {
  match: (content, { sets }) => compileMatch(content, sets),
  vmap: compileVerdictMap,
  mangle: (content, { sets }) => compileMangle(content, sets),
  set: compileSetUpdate,
  map: () => CONTINUE_ALWAYS,
  notrack: () => exemptFromConntrack,
  reject: compileReject,
  dnat: (content, { sets }) => compileNat("dnat", content, sets),
  snat: (content, { sets }) => compileNat("snat", content, sets),
  masquerade: (content, { sets }) => compileNat("masquerade", content, sets),
  redirect: (content, { sets }) => compileNat("redirect", content, sets),
  ...Object.fromEntries(WITHOUT_EFFECT.map((key) => [key, () => CONTINUE_ALWAYS])),
};

/** Removes the statements at the end of a rule that have no effect, such as counters and logs. */
export function dropIdleStatements(statements: readonly NftJson[]): readonly NftJson[] {
  const last = statements.findLastIndex((json) => !IDLE.has(readOnlyEntry(json)?.[0] ?? ""));
  return statements.slice(0, last + 1);
}

/** Compiles a statement as `nft -j` prints it; an unsupported statement gives the result undecided or unknown. */
export function compileStatement(json: NftJson, scope: NftScope): RuleStatement {
  if (json === "notrack" || json === "masquerade" || json === "redirect" || json === "reject")
    return compileStatement({ [json]: null }, scope);
  const verdict = parseVerdict(json, scope.findChain);
  if (verdict !== undefined) return () => verdict;
  const [key = "", content] = readOnlyEntry(json) ?? [];
  if (UNDECIDABLE.includes(key)) return createUndecidable(formatNftStatement(json));
  try {
    const compile = COMPILERS[key];
    if (compile !== undefined) return compile(content, scope);
  } catch {
    // The text of the whole statement is more useful than that of the unsupported part.
  }
  const isMatch = key === "match" || (key === "xt" && readField(content, "type") === "match");
  return createUnsupported(formatNftStatement(json), isMatch ? "undecided" : "unknown");
}
