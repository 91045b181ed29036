import type { Packet, TcpFlag } from "../../packet.ts";
import { includesAddress, parseAddressNumber, parseAddressRange } from "../model/address-number.ts";
import { findProtocolNumber, parseProtocol } from "../model/protocols.ts";
import { hasConntrackEntry } from "../model/conntrack-entry.ts";
import { createPortMatcher } from "../model/match-port.ts";
import { BREAK, CONTINUE_ALWAYS, type RuleStatement, toMatchResult } from "../model/ruleset.ts";
import {
  compileEachOption,
  formatOption,
  type MatchCompiler,
  parseMaskedValue,
  parseNumberRange,
} from "./match-compiler.ts";
import type { RuleOption } from "./rule-arguments.ts";

type Predicate = (packet: Packet) => boolean;

/** Creates a match from a predicate, inverted if the option has `!`. */
function createMatch({ inverted }: Pick<RuleOption, "inverted">, predicate: Predicate): RuleStatement {
  return (packet) => toMatchResult(predicate(packet) !== inverted);
}

/** Compiles an option of iptables itself: `-s`, `-d`, `-i`, `-o`, `-p`, `-f`. @throws on any other option */
export function compileBaseOption(option: RuleOption): RuleStatement {
  const [value = ""] = option.values;
  switch (option.name) {
    case "-s":
      return createMatch(option, createAddressPredicate(value, "source"));
    case "-d":
      return createMatch(option, createAddressPredicate(value, "destination"));
    case "-i":
      return createMatch(option, createLinkPredicate(value, "inLink"));
    case "-o":
      return createMatch(option, createLinkPredicate(value, "outLink"));
    case "-p": {
      if (value === "all") return CONTINUE_ALWAYS;
      const protocol = parseProtocol(value);
      return createMatch(option, (packet) => findProtocolNumber(packet) === protocol);
    }
    case "-f":
      // A traced packet is not a fragment.
      return createMatch(option, () => false);
    default:
      throw new Error(formatOption(option));
  }
}

function createAddressPredicate(text: string, side: "source" | "destination"): Predicate {
  const dotted = /^(.*)\/(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted === null) {
    const range = parseAddressRange(text);
    return (packet) => includesAddress(range, parseAddressNumber(packet[side]));
  }
  const [address, mask] = [dotted[1] ?? "", dotted[2] ?? ""].map((part) => Number(parseAddressNumber(part)));
  return (packet) => (Number(parseAddressNumber(packet[side])) & (mask ?? 0)) === ((address ?? 0) & (mask ?? 0));
}

function createLinkPredicate(pattern: string, side: "inLink" | "outLink" | "inPort" | "outPort"): Predicate {
  if (!pattern.endsWith("+")) return (packet) => packet[side] === pattern;
  const prefix = pattern.slice(0, -1);
  return (packet) => (packet[side] ?? "").startsWith(prefix);
}

function hasPorts({ protocol }: Packet): boolean {
  return protocol !== "icmp";
}

function compilePort(side: "sourcePort" | "destinationPort") {
  return (option: RuleOption): RuleStatement => {
    const [first, last] = parseNumberRange(option.values[0]);
    const match = createPortMatcher((port) => (port >= first && port <= last) !== option.inverted);
    return (packet) => match(packet[side], undefined);
  };
}

function compilePorts(sides: readonly ("sourcePort" | "destinationPort")[]) {
  return (option: RuleOption): RuleStatement => {
    const ranges = (option.values[0] ?? "").split(",").map(parseNumberRange);
    const includesPort = (port: number) => ranges.some(([first, last]) => port >= first && port <= last);
    const [only, ...others] = sides;
    if (only !== undefined && others.length === 0) {
      const match = createPortMatcher((port) => includesPort(port) !== option.inverted);
      // `!` inverts only for packets with ports.
      return (packet) => (hasPorts(packet) ? match(packet[only], undefined) : BREAK);
    }
    return (packet) =>
      toMatchResult(hasPorts(packet) && sides.some((side) => includesPort(packet[side])) !== option.inverted);
  };
}

const TCP_FLAGS: readonly TcpFlag[] = ["fin", "syn", "rst", "psh", "ack", "urg"];

function parseTcpFlags(text = ""): readonly TcpFlag[] {
  if (text === "NONE") return [];
  if (text === "ALL") return TCP_FLAGS;
  return text.split(",").map((name) => {
    const flag = TCP_FLAGS.find((known) => known === name.toLowerCase());
    if (flag === undefined) throw new Error(`tcp flag ${name}`);
    return flag;
  });
}

function compileTcpFlags(option: RuleOption): RuleStatement {
  const mask = parseTcpFlags(option.values[0]);
  const set = parseTcpFlags(option.values[1]);
  return createMatch(option, ({ tcpFlags = [] }) =>
    mask.every((flag) => tcpFlags.includes(flag) === set.includes(flag)),
  );
}

/** Compiles `--icmp-type 8`, `3/4`, `any` or `255`: the type and, if given, the code. */
function compileIcmpType(option: RuleOption): RuleStatement {
  const [value = ""] = option.values;
  if (value === "any" || value === "255") return createMatch(option, () => true);
  const [type, code] = value.split("/").map(Number);
  if (type === undefined || Number.isNaN(type) || Number.isNaN(code ?? 0)) throw new Error(formatOption(option));
  return createMatch(
    option,
    (packet) => packet.icmpType === type && (code === undefined || (packet.icmpCode ?? 0) === code),
  );
}

/** Compiles a comparison of a mark: `(mark & MASK) == VALUE`. */
function compileMark(side: "mark" | "connmark") {
  return (option: RuleOption) => {
    const { value, mask } = parseMaskedValue(option.values[0]);
    const expected = value >>> 0;
    return createMatch(option, (packet) => (packet[side] & mask) >>> 0 === expected);
  };
}

/** Makes a match fail for packets without a conntrack entry, inverted or not (xt_connmark). */
function requireConntrack(statement: RuleStatement): RuleStatement {
  return (packet, context) => (hasConntrackEntry(packet) ? statement(packet, context) : BREAK);
}

function compileRange(select: (packet: Packet) => number) {
  return (option: RuleOption) => {
    const [first, last] = parseNumberRange(option.values[0]);
    return createMatch(option, (packet) => select(packet) >= first && select(packet) <= last);
  };
}

function compileAddressRange(side: "source" | "destination") {
  return (option: RuleOption) => createMatch(option, createAddressPredicate(option.values[0] ?? "", side));
}

/** Comparisons of the TTL or hop limit with a number. */
const TTL_OPTIONS = {
  eq: (option: RuleOption) => createMatch(option, ({ ttl }) => ttl === Number(option.values[0])),
  lt: (option: RuleOption) => createMatch(option, ({ ttl }) => ttl < Number(option.values[0])),
  gt: (option: RuleOption) => createMatch(option, ({ ttl }) => ttl > Number(option.values[0])),
};

/** Options of physdev: they match the bridge ports of a packet. */
const PHYSDEV = compileEachOption({
  "--physdev-is-in": (option) => createMatch(option, ({ inPort }) => inPort !== undefined),
  "--physdev-is-out": (option) => createMatch(option, ({ outPort }) => outPort !== undefined),
  "--physdev-is-bridged": (option) =>
    createMatch(option, ({ inPort, outPort }) => inPort !== undefined && outPort !== undefined),
  "--physdev-in": (option) => createMatch(option, createLinkPredicate(option.values[0] ?? "", "inPort")),
  "--physdev-out": (option) => createMatch(option, createLinkPredicate(option.values[0] ?? "", "outPort")),
});

/** Fields of every traced packet: it is unicast and has the default traffic class. */
const TRACED = { packetType: "unicast", dscp: 0, tos: 0 };

/** Matches of the packet's own fields, by the name of the extension. */
export const PACKET_MATCHES: Readonly<Record<string, MatchCompiler>> = {
  comment: () => [],
  tcp: compileEachOption({
    "--sport": compilePort("sourcePort"),
    "--dport": compilePort("destinationPort"),
    "--tcp-flags": compileTcpFlags,
  }),
  udp: compileEachOption({ "--sport": compilePort("sourcePort"), "--dport": compilePort("destinationPort") }),
  multiport: compileEachOption({
    "--sports": compilePorts(["sourcePort"]),
    "--dports": compilePorts(["destinationPort"]),
    "--ports": compilePorts(["sourcePort", "destinationPort"]),
  }),
  icmp: compileEachOption({ "--icmp-type": compileIcmpType }),
  icmp6: compileEachOption({ "--icmpv6-type": compileIcmpType }),
  mark: compileEachOption({ "--mark": compileMark("mark") }),
  connmark: compileEachOption({ "--mark": (option) => requireConntrack(compileMark("connmark")(option)) }),
  physdev: PHYSDEV,
  iprange: compileEachOption({
    "--src-range": compileAddressRange("source"),
    "--dst-range": compileAddressRange("destination"),
  }),
  length: compileEachOption({ "--length": compileRange(({ length }) => length) }),
  ttl: compileEachOption({ "--ttl-eq": TTL_OPTIONS.eq, "--ttl-lt": TTL_OPTIONS.lt, "--ttl-gt": TTL_OPTIONS.gt }),
  mac: compileEachOption({
    "--mac-source": (option) => (packet) =>
      packet.sourceMac === undefined
        ? { kind: "undecided", reason: formatOption(option) }
        : toMatchResult((packet.sourceMac === option.values[0]?.toLowerCase()) !== option.inverted),
  }),
  hl: compileEachOption({ "--hl-eq": TTL_OPTIONS.eq, "--hl-lt": TTL_OPTIONS.lt, "--hl-gt": TTL_OPTIONS.gt }),
  pkttype: compileEachOption({
    "--pkt-type": (option) => createMatch(option, () => option.values[0] === TRACED.packetType),
  }),
  dscp: compileEachOption({
    "--dscp": (option) => createMatch(option, () => Number(option.values[0]) === TRACED.dscp),
  }),
  tos: compileEachOption({
    "--tos": (option) => {
      const { value, mask } = parseMaskedValue(option.values[0]);
      return createMatch(option, () => (TRACED.tos & mask) === value);
    },
  }),
};
