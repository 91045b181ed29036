/** An option of a rule with its values: `! --dports 80,443`. */
export interface RuleOption {
  readonly name: string;
  readonly values: readonly string[];
  readonly inverted: boolean;
}

/** A match extension or target with its options. */
export interface RuleExtension {
  readonly name: string;
  readonly options: readonly RuleOption[];
}

/** A rule of iptables, split by the extension that each option belongs to. */
export interface RuleArguments {
  /** Options without an extension: addresses, links, protocol. */
  readonly options: readonly RuleOption[];
  /** Extensions of `-m`, in order. */
  readonly matches: readonly RuleExtension[];
  /** Target of `-j` or `-g`; a rule may have neither. */
  readonly target?: RuleExtension & { readonly goesTo: boolean };
}

interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/**
 * Splits a rule of `iptables-save` into options and extensions.
 *
 * @param rule The rule without counters and `-A CHAIN`.
 */
export function parseRuleArguments(rule: string): RuleArguments {
  const options: RuleOption[] = [];
  const matches: (RuleExtension & { options: RuleOption[] })[] = [];
  let target: (RuleExtension & { options: RuleOption[]; goesTo: boolean }) | undefined;
  for (const option of groupOptions(splitTokens(rule))) {
    const name = option.values[0] ?? "";
    if (option.name === "-m") matches.push({ name, options: [] });
    else if (option.name === "-j" || option.name === "-g") target = { name, options: [], goesTo: option.name === "-g" };
    else if (isBaseOption(option.name)) options.push(option);
    else (target ?? matches.at(-1) ?? { options }).options.push(option);
  }
  return { options, matches, ...(target === undefined ? {} : { target }) };
}

/** Reports whether an option is one of iptables itself: these have one letter, those of extensions begin with two hyphens. */
function isBaseOption(name: string): boolean {
  return /^-[a-z]$/.test(name);
}

function* groupOptions(tokens: readonly Token[]): Generator<RuleOption> {
  let inverted = false;
  let current: { name: string; values: string[]; inverted: boolean } | undefined;
  for (const { text, quoted } of tokens) {
    if (!quoted && text === "!") {
      inverted = true;
    } else if (!quoted && text.startsWith("-") && text.length > 1) {
      if (current !== undefined) yield current;
      current = { name: text, values: [], inverted };
      inverted = false;
    } else {
      current?.values.push(text);
    }
  }
  if (current !== undefined) yield current;
}

/** Splits by spaces, except in double quotes, in which iptables-save escapes quotes and backslashes. */
function splitTokens(text: string): readonly Token[] {
  return [...text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain = ""]) =>
    quoted === undefined ? { text: plain, quoted: false } : { text: quoted.replaceAll(/\\(.)/g, "$1"), quoted: true },
  );
}
