import type { Family } from "../../../datapath/address.ts";
import type { RuleStatement } from "../model/ruleset.ts";
import type { Ipset, IpsetIndex } from "./ipset.ts";
import type { RuleExtension, RuleOption } from "./rule-arguments.ts";

/** Objects that the extensions of a rule may refer to. */
export interface RuleScope {
  readonly family: Family;
  /** Sets by name; undefined if they could not be read. */
  readonly ipsets: ReadonlyMap<string, Ipset> | undefined;
  /** Returns the indexed elements of a set. @throws if an element cannot be parsed */
  readonly indexSet: (set: Ipset) => IpsetIndex;
}

/**
 * Compiles a match extension into statements that must all match.
 *
 * @throws an error whose message is the unsupported part; the rule is undecided then
 */
export type MatchCompiler = (extension: RuleExtension, scope: RuleScope) => readonly RuleStatement[];

/** Creates the compiler of an extension whose options are independent of each other. */
export function compileEachOption(
  compilers: Readonly<Record<string, (option: RuleOption, scope: RuleScope) => RuleStatement>>,
): MatchCompiler {
  return ({ name, options }, scope) =>
    options.map((option) => {
      const compile = compilers[option.name];
      if (compile === undefined) throw new Error(`${name} ${formatOption(option)}`);
      return compile(option, scope);
    });
}

/** Formats an option as iptables-save prints it. */
export function formatOption({ name, values, inverted }: RuleOption): string {
  return [...(inverted ? ["!"] : []), name, ...values].join(" ");
}

/** Formats an extension and its options. */
export function formatExtension({ name, options }: RuleExtension): string {
  return [name, ...options.map(formatOption)].join(" ");
}

/** Parses `VALUE` or `VALUE/MASK`, decimal or hexadecimal, of 32 bits. Throws on anything else. */
export function parseMaskedValue(text = ""): { readonly value: number; readonly mask: number } {
  const [value = "", mask = "0xffffffff"] = text.split("/");
  const numbers = { value: Number(value), mask: Number(mask) };
  if (value === "" || Number.isNaN(numbers.value) || Number.isNaN(numbers.mask)) throw new Error(`value ${text}`);
  return numbers;
}

/** Parses a range of numbers `FIRST:LAST`, `FIRST:`, `:LAST` or `NUMBER`. Throws on anything else. */
export function parseNumberRange(text = ""): readonly [number, number] {
  const match = /^(\d*)(:?)(\d*)$/.exec(text);
  if (match === null || text === "") throw new Error(`range ${text}`);
  const [, first = "", colon, last = ""] = match;
  if (colon === "") return [Number(first), Number(first)];
  return [Number(first), last === "" ? Number.MAX_SAFE_INTEGER : Number(last)];
}
