import type { Packet } from "../../packet.ts";
import { includesAddress, parseAddressNumber, parseAddressRange } from "../model/address-number.ts";
import { hasConntrackEntry } from "../model/conntrack-entry.ts";
import { findProtocolNumber, parseProtocol } from "../model/protocols.ts";
import { toMatchResult } from "../model/ruleset.ts";
import { formatOption, type MatchCompiler, parseNumberRange } from "./match-compiler.ts";
import type { RuleOption } from "./rule-arguments.ts";

type Predicate = (packet: Packet) => boolean;

const STATES = ["INVALID", "NEW", "ESTABLISHED", "RELATED", "UNTRACKED", "SNAT", "DNAT"];

function createStatePredicate({ values: [value = ""], inverted }: RuleOption): Predicate {
  const names = new Set(value.split(","));
  for (const name of names) if (!STATES.includes(name)) throw new Error(`conntrack state ${name}`);
  return (packet) => {
    const { conntrackState = "invalid", conntrackStatus } = packet;
    const matches =
      names.has(conntrackState.toUpperCase()) ||
      (hasConntrackEntry(packet) &&
        ((conntrackStatus.snat && names.has("SNAT")) || (conntrackStatus.dnat && names.has("DNAT"))));
    return matches !== inverted;
  };
}

function createOriginalAddressPredicate(side: "source" | "destination") {
  return ({ values: [value = ""], inverted }: RuleOption): Predicate => {
    const range = parseAddressRange(value);
    return ({ originalTuple }) =>
      originalTuple !== undefined && includesAddress(range, parseAddressNumber(originalTuple[side])) !== inverted;
  };
}

function createOriginalPortPredicate(side: "sourcePort" | "destinationPort") {
  return ({ values: [value], inverted }: RuleOption): Predicate => {
    const [first, last] = parseNumberRange(value);
    return ({ originalTuple }) =>
      originalTuple !== undefined && (originalTuple[side] >= first && originalTuple[side] <= last) !== inverted;
  };
}

/** Options that match the conntrack entry; evaluated only for packets with an entry. */
const ENTRY_OPTIONS: Readonly<Record<string, (option: RuleOption) => Predicate>> = {
  "--ctdir": ({ values: [value], inverted }) => {
    const direction = value === "ORIGINAL" ? "original" : "reply";
    return (packet) => (packet.direction === direction) !== inverted;
  },
  "--ctproto": ({ values: [value = ""], inverted }) => {
    const protocol = parseProtocol(value);
    return (packet) => (findProtocolNumber(packet) === protocol) !== inverted;
  },
  "--ctorigsrc": createOriginalAddressPredicate("source"),
  "--ctorigdst": createOriginalAddressPredicate("destination"),
  "--ctorigsrcport": createOriginalPortPredicate("sourcePort"),
  "--ctorigdstport": createOriginalPortPredicate("destinationPort"),
};

/**
 * Compiles `-m conntrack` as xt_conntrack evaluates it: first the state is compared. A packet without a conntrack entry then
 * matches if the rule has a state option, whatever its other options.
 */
const compileConntrack: MatchCompiler = ({ options }) => {
  const statePredicates = options.filter(({ name }) => name === "--ctstate").map(createStatePredicate);
  const entryPredicates = options
    .filter(({ name }) => name !== "--ctstate")
    .map((option) => {
      const create = ENTRY_OPTIONS[option.name];
      if (create === undefined) throw new Error(`conntrack ${formatOption(option)}`);
      return create(option);
    });
  return [
    (packet) => {
      if (!statePredicates.every((predicate) => predicate(packet))) return toMatchResult(false);
      if (!hasConntrackEntry(packet)) return toMatchResult(statePredicates.length > 0);
      return toMatchResult(entryPredicates.every((predicate) => predicate(packet)));
    },
  ];
};

/** Matches of conntrack's state, by the name of the extension. */
export const STATE_MATCHES: Readonly<Record<string, MatchCompiler>> = {
  conntrack: compileConntrack,
  state: ({ options }) =>
    options.map((option) => {
      if (option.name !== "--state") throw new Error(`state ${formatOption(option)}`);
      const predicate = createStatePredicate(option);
      return (packet) => toMatchResult(predicate(packet));
    }),
};
