import { compileConntrack } from "./conntrack.ts";
import { type Datatype, NUMBER, TEXT } from "./datatype.ts";
import { createUndecidedExpression, type PacketExpression } from "./expression.ts";
import { compileFib } from "./fib.ts";
import { readArray, readField, readOnlyEntry, readTextField, unwrapElement } from "./json.ts";
import { compileMeta } from "./meta.ts";
import { compilePayload } from "./payload.ts";
import type { NftJson } from "./ruleset-json.ts";
import type { SetCatalog } from "./set-catalog.ts";
import { combineReadings, mapReading, mapReadings, type Reading, toReading, type Value } from "./value.ts";
import type { KeyType } from "./value-matcher.ts";

type ExpressionCompiler = (content: NftJson, sets: SetCatalog) => PacketExpression;

/** Greatest number of values of a random choice, because each value is evaluated. */
const CHOICE_LIMIT = 4096;

/**
 * Compiles `numgen random mod 2`, and hashes, whose seed is not in the snapshot: every value has the same probability.
 *
 * @throws if the number of values is invalid or above CHOICE_LIMIT
 */
function compileChoice(content: NftJson): PacketExpression {
  const count = Number(readField(content, "mod"));
  const offset = Number(readField(content, "offset") ?? 0);
  if (!(count >= 1 && count <= CHOICE_LIMIT)) throw new Error(JSON.stringify(content));
  const values = Array.from({ length: count }, (_, index) => ({ value: offset + index, probability: 1 / count }));
  const reading: Reading = { kind: "choice", values };
  return { type: NUMBER, read: () => reading };
}

const BIT_OPERATORS: Readonly<Record<string, (left: bigint, right: bigint) => bigint>> = {
  "&": (left, right) => left & right,
  "|": (left, right) => left | right,
  "^": (left, right) => left ^ right,
  "<<": (left, right) => left << right,
  ">>": (left, right) => left >> right,
};

/** Applies a bit operator. The result has the width of the left value: 32 bits for a number, 128 bits for a bigint. */
function computeBits(operator: string, left: Value, right: Value): Value {
  const combine = BIT_OPERATORS[operator];
  if (combine === undefined || !isNumber(left) || !isNumber(right)) throw new Error(`operator ${operator}`);
  const bits = combine(BigInt(left), BigInt(right));
  return typeof left === "number" ? Number(BigInt.asUintN(32, bits)) : BigInt.asUintN(128, bits);
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** Returns the compiler of a bit operator with two or more operands, which are combined from left to right. */
function compileOperator(operator: string): ExpressionCompiler {
  return (content, sets) => {
    const [firstOperand, ...otherOperands] = readArray(content);
    const first = compileExpression(firstOperand, sets);
    const type = requireSingleType(first.type);
    const operandType = operator === "<<" || operator === ">>" ? NUMBER : type;
    return otherOperands
      .map((operand) => compileValue(operand, operandType, sets))
      .reduce<PacketExpression>(
        (left, right) => ({
          type,
          read: (packet, context) =>
            mapReadings(left.read(packet, context), right.read(packet, context), (a, b) => computeBits(operator, a, b)),
        }),
        first,
      );
  };
}

function requireSingleType(type: KeyType): Datatype {
  if (Array.isArray(type)) throw new Error("operator on a concatenation");
  return type as Datatype;
}

function compileConcatenation(content: NftJson, sets: SetCatalog): PacketExpression {
  const parts = readArray(content).map((part) => compileExpression(part, sets));
  return {
    type: parts.map(({ type }) => requireSingleType(type)),
    read: (packet, context) => combineReadings(parts.map(({ read }) => read(packet, context))),
  };
}

const COMPILERS: Readonly<Record<string, ExpressionCompiler>> = {
  payload: compilePayload,
  meta: compileMeta,
  ct: compileConntrack,
  fib: compileFib,
  numgen: compileChoice,
  jhash: compileChoice,
  symhash: compileChoice,
  concat: compileConcatenation,
  rt: (content) => createUndecidedExpression(`rt ${readTextField(content, "key")}`, NUMBER),
  socket: (content) => createUndecidedExpression(`socket ${readTextField(content, "key")}`, NUMBER),
  osf: () => createUndecidedExpression("osf name", TEXT),
  "tcp option": (content) => createUndecidedExpression(`tcp option ${readTextField(content, "name")}`, NUMBER),
  elem: (content, sets) => compileExpression(readField(content, "val"), sets),
  ...Object.fromEntries(Object.keys(BIT_OPERATORS).map((operator) => [operator, compileOperator(operator)])),
};

/**
 * Compiles an expression of nft, whose value depends on the packet.
 *
 * @throws with the expression as message, if it is not supported
 */
export function compileExpression(json: NftJson, sets: SetCatalog): PacketExpression {
  const [key = "", content] = readOnlyEntry(json) ?? [];
  const compile = COMPILERS[key];
  if (compile === undefined) throw new Error(JSON.stringify(json));
  return compile(content, sets);
}

/**
 * Compiles a value of a given type: a constant, an expression, or the lookup of a key in a map.
 *
 * @throws with the unsupported part as message
 */
export function compileValue(json: NftJson, type: KeyType, sets: SetCatalog): PacketExpression {
  const [key = "", content] = readOnlyEntry(json) ?? [];
  if (key === "map") return compileMapLookup(content, type, sets);
  const isConstant = !(key in COMPILERS) || (!Array.isArray(type) && (type as Datatype).isBits === true);
  if (!isConstant) return compileExpression(json, sets);
  const reading = toReading(parseConstant(json, type));
  return { type, read: () => reading };
}

function compileMapLookup(content: NftJson, type: KeyType, sets: SetCatalog): PacketExpression {
  const key = compileExpression(readField(content, "key"), sets);
  const index = sets.indexMap(readField(content, "data"), key.type, (data) => parseConstant(data, type));
  return {
    type,
    read: (packet, context) => mapReading(key.read(packet, context), (value) => index.find(value)?.data),
  };
}

/** Parses a constant, or the parts of a concatenation. */
function parseConstant(json: NftJson, type: KeyType): Value {
  const value = unwrapElement(json);
  if (!Array.isArray(type)) return (type as Datatype).parse(value);
  const parts = readArray(readField(value, "concat"));
  return (type as readonly Datatype[]).map((part, index) => part.parse(parts[index]));
}
