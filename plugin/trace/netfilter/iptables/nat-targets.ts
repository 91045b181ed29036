import type { Translation } from "../../packet.ts";
import { computePrefixRange, formatAddressNumber, parseAddressNumber } from "../model/address-number.ts";
import type { RuleStatement } from "../model/ruleset.ts";
import { describeTranslation } from "../model/translation-text.ts";
import { formatOption } from "./match-compiler.ts";
import type { RuleExtension } from "./rule-arguments.ts";

/** Options that only affect the choice of a port. */
const PORT_CHOICE_OPTIONS = ["--random", "--random-fully", "--persistent"];

function findValue({ name, options }: RuleExtension, optionName: string): string | undefined {
  const unknownOption = options.find(
    (option) => option.name !== optionName && !PORT_CHOICE_OPTIONS.includes(option.name),
  );
  if (unknownOption !== undefined) throw new Error(`${name} ${formatOption(unknownOption)}`);
  return options.find((option) => option.name === optionName)?.values[0];
}

/** Reports whether the kernel chooses the source port at random. */
function hasRandomPort({ options }: RuleExtension): boolean {
  return options.some(({ name }) => name === "--random" || name === "--random-fully");
}

function createTranslate(translation: Translation): RuleStatement {
  const result = { kind: "translate", translation, effect: describeTranslation(translation) } as const;
  return () => result;
}

/** Parses `FIRST[-LAST]`. Throws on anything else. */
function parsePorts(text: string): readonly [number, number] {
  // A base port after a slash only shifts which port is taken.
  const match = /^(\d+)(?:-(\d+))?(?:\/\d+)?$/.exec(text);
  if (match === null) throw new Error(`ports ${text}`);
  return [Number(match[1]), Number(match[2] ?? match[1])];
}

/** Parses `ADDRESS[-ADDRESS][:PORT[-PORT]]`, IPv6 addresses with a port in brackets. */
function parseTarget(kind: "dnat" | "snat", text: string): Translation {
  const bracketed = /^\[(.+)\](?::(.+))?$/.exec(text);
  const plain = /^([^:]*)(?::([^:]+))?$/.exec(text);
  const [, addresses = "", ports] = bracketed ?? plain ?? [text, text];
  const [first = "", last = first] = addresses.split("-");
  for (const address of first === "" ? [] : [first, last]) parseAddressNumber(address);
  return {
    kind,
    ...(first === "" ? {} : { addresses: [first, last] }),
    ...(ports === undefined ? {} : { ports: parsePorts(ports) }),
  };
}

function compileAddressTarget(kind: "dnat" | "snat", option: string) {
  return (target: RuleExtension): RuleStatement => {
    const value = findValue(target, option);
    if (value === undefined) throw new Error(`${target.name} without ${option}`);
    const random = kind === "snat" && hasRandomPort(target) ? { isPortRandom: true as const } : {};
    return createTranslate({ ...parseTarget(kind, value), ...random });
  };
}

function compilePortTarget(kind: "masquerade" | "redirect") {
  return (target: RuleExtension): RuleStatement => {
    const value = findValue(target, "--to-ports");
    const ports = value === undefined ? {} : { ports: parsePorts(value) };
    if (kind === "redirect") return createTranslate({ kind, ...ports });
    return createTranslate({ kind, ...ports, ...(hasRandomPort(target) ? { isPortRandom: true } : {}) });
  };
}

/** Compiles NETMAP, which keeps the host bits: of the destination before routing, of the source after routing. */
function compileNetmap(target: RuleExtension): RuleStatement {
  const [network = "", length] = (findValue(target, "--to") ?? "").split("/");
  const base = parseAddressNumber(network);
  const { first, last } = computePrefixRange(base, length === undefined ? undefined : Number(length));
  return (packet, { hook }) => {
    const kind = hook === "prerouting" || hook === "output" ? "dnat" : "snat";
    const host = BigInt(parseAddressNumber(kind === "dnat" ? packet.destination : packet.source));
    const size = BigInt(last) - BigInt(first) + 1n;
    const mapped = BigInt(first) + (host % size);
    const address = formatAddressNumber(typeof base === "number" ? Number(mapped) : mapped);
    const translation: Translation = { kind, addresses: [address, address] };
    return { kind: "translate", translation, effect: describeTranslation(translation) };
  };
}

/** Targets of the table nat. */
export const NAT_TARGETS: Readonly<Record<string, (target: RuleExtension) => RuleStatement>> = {
  DNAT: compileAddressTarget("dnat", "--to-destination"),
  SNAT: compileAddressTarget("snat", "--to-source"),
  MASQUERADE: compilePortTarget("masquerade"),
  REDIRECT: compilePortTarget("redirect"),
  NETMAP: compileNetmap,
};
