import type { Packet } from "../../packet.ts";
import { BREAK, CONTINUE, type Result, type RuleStatement, type StatementContext } from "../model/ruleset.ts";
import { createPortMatcher } from "../model/match-port.ts";
import { compileExpression } from "./compile-expression.ts";
import type { Datatype } from "./datatype.ts";
import { readField, readOnlyEntry, readTextField } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";
import { formatElementKey, type SetCatalog } from "./set-catalog.ts";
import type { Reading, Value } from "./value.ts";
import { compileTest, type KeyType } from "./value-matcher.ts";

type ContextTest = (value: Value, context: StatementContext) => boolean;

/** Converts a reading to a result; a random choice becomes one branch for each result. */
export function decideReading(reading: Reading, decide: (value: Value) => Result): Result {
  switch (reading.kind) {
    case "value":
      return decide(reading.value);
    case "absent":
      return BREAK;
    case "undecided":
      return { kind: "undecided", reason: reading.reason };
    case "choice": {
      const shares = new Map<Result, number>();
      for (const { value, probability } of reading.values) {
        const result = decide(value);
        shares.set(result, (shares.get(result) ?? 0) + probability);
      }
      const [only, ...others] = shares.keys();
      if (only !== undefined && others.length === 0) return only;
      return {
        kind: "choice",
        branches: [...shares].map(([result, probability]) => ({ probability, result })),
      };
    }
  }
}

/**
 * Compiles `{"match": {"op": "==", "left": …, "right": …}}`.
 *
 * @throws an error whose message is the unsupported part
 */
export function compileMatch(content: NftJson, sets: SetCatalog): RuleStatement {
  const operator = readTextField(content, "op");
  const left = compileExpression(readField(content, "left"), sets);
  const test = compileOperator(operator, readField(content, "right"), left.type, sets);
  if (left.isPort === true) {
    const match = createPortMatcher(test);
    return (packet, context) => decideReading(left.read(packet, context), (value) => match(Number(value), context));
  }
  return (packet: Packet, context) =>
    decideReading(left.read(packet, context), (value) => (test(value, context) ? CONTINUE : BREAK));
}

function compileOperator(operator: string, right: NftJson, type: KeyType, sets: SetCatalog): ContextTest {
  switch (operator) {
    case "==":
      return compileEquality(right, type, sets);
    case "!=": {
      const test = compileEquality(right, type, sets);
      return (value, context) => !test(value, context);
    }
    case "in":
    case "!": {
      // A test of bits: with `in` one of them must be set, with `!` none of them.
      if (!isBits(type)) return compileEquality(right, type, sets);
      const bits = Number(type.parse(right));
      return (value) => ((Number(value) & bits) !== 0) === (operator === "in");
    }
    case "<":
    case ">":
    case "<=":
    case ">=":
      return compileOrder(operator, right, type);
    default:
      throw new Error(`operator ${operator}`);
  }
}

function compileEquality(right: NftJson, type: KeyType, sets: SetCatalog): ContextTest {
  const name = sets.findQualifiedName(right);
  const [key] = readOnlyEntry(right) ?? [];
  if (name === undefined && key !== "set") {
    if (typeof right === "boolean") return (value) => isPresent(value) === right;
    return compileTest(right, type);
  }
  const index = sets.indexSet(right, type);
  if (name === undefined) return (value) => index.find(value) !== undefined;
  return (value, { lookups }) =>
    index.find(value) !== undefined || lookups.hasAddedElement({ set: name, key: formatElementKey(value) });
}

/** Evaluates `fib … oif exists`, which nft prints as `true`. */
function isPresent(value: Value): boolean {
  return value !== "" && value !== 0 && value !== false;
}

function isBits(type: KeyType): type is Datatype {
  return !Array.isArray(type) && (type as Datatype).isBits === true;
}

function compileOrder(operator: "<" | ">" | "<=" | ">=", right: NftJson, type: KeyType): ContextTest {
  if (Array.isArray(type)) throw new Error(`operator ${operator} on a concatenation`);
  const limit = (type as Datatype).parse(right);
  if (typeof limit !== "number" && typeof limit !== "bigint") throw new Error(`operator ${operator}`);
  return (value) => {
    if (typeof value !== "number" && typeof value !== "bigint") return false;
    if (operator === "<") return value < limit;
    if (operator === ">") return value > limit;
    return operator === "<=" ? value <= limit : value >= limit;
  };
}
