import { ADDRESS_TYPES } from "../../hook.ts";
import type { Packet } from "../../packet.ts";
import { parseAddressNumber } from "../model/address-number.ts";
import { findProtocolNumber } from "../model/protocols.ts";
import { BREAK, CONTINUE, type Result, type RuleStatement, toMatchResult } from "../model/ruleset.ts";
import { includesParts, type Ipset, type IpsetPart } from "./ipset.ts";
import { formatExtension, formatOption, type MatchCompiler, type RuleScope } from "./match-compiler.ts";
import type { RuleExtension, RuleOption } from "./rule-arguments.ts";

function findOption({ options }: RuleExtension, name: string): RuleOption | undefined {
  return options.find((option) => option.name === name);
}

function rejectOtherOptions(extension: RuleExtension, knownNames: readonly string[]): void {
  const unknownOption = extension.options.find(({ name }) => !knownNames.includes(name));
  if (unknownOption !== undefined) throw new Error(`${extension.name} ${formatOption(unknownOption)}`);
}

const compileAddressType: MatchCompiler = (extension) => {
  rejectOtherOptions(extension, ["--src-type", "--dst-type", "--limit-iface-in", "--limit-iface-out"]);
  const limitsIn = findOption(extension, "--limit-iface-in") !== undefined;
  const limitsOut = findOption(extension, "--limit-iface-out") !== undefined;
  const compileSide = (option: RuleOption | undefined, side: "source" | "destination"): RuleStatement[] => {
    if (option === undefined) return [];
    const types = (option.values[0] ?? "").split(",").map((name) => {
      const type = ADDRESS_TYPES.find((known) => known === name.toLowerCase());
      if (type === undefined) throw new Error(`address type ${name}`);
      return type;
    });
    return [
      (packet, { lookups }) => {
        const link = limitsIn ? packet.inLink : limitsOut ? packet.outLink : undefined;
        const type = lookups.findAddressType({
          address: packet[side],
          ...(link === undefined ? {} : { outLink: link }),
        });
        return toMatchResult(types.includes(type) !== option.inverted);
      },
    ];
  };
  return [
    ...compileSide(findOption(extension, "--src-type"), "source"),
    ...compileSide(findOption(extension, "--dst-type"), "destination"),
  ];
};

/** Compiles `-m rpfilter` as ipt_rpfilter evaluates it: the route back to the source leaves by the link of arrival. */
const compileReversePath: MatchCompiler = (extension) => {
  rejectOtherOptions(extension, ["--loose", "--validmark", "--accept-local", "--invert"]);
  const hasOption = (name: string) => findOption(extension, name) !== undefined;
  const inverted = hasOption("--invert");
  return [
    (packet, { lookups }) => {
      const { source, destination, mark, inLink } = packet;
      if (inLink === "lo") return toMatchResult(!inverted);
      const query = { address: source, source: destination, ...(hasOption("--validmark") ? { mark } : {}) };
      const type = lookups.findAddressType(query);
      const isUsable = type === "unicast" || (type === "local" && hasOption("--accept-local"));
      const passes = isUsable && (hasOption("--loose") || lookups.findRouteLink(query) === inLink);
      return toMatchResult(passes !== inverted);
    },
  ];
};

const compileStatistic: MatchCompiler = (extension) => {
  rejectOtherOptions(extension, ["--mode", "--probability", "--every", "--packet"]);
  const random = findOption(extension, "--probability");
  const every = findOption(extension, "--every");
  const option = random ?? every;
  if (option === undefined) throw new Error(formatExtension(extension));
  const chosen = random === undefined ? 1 / Number(option.values[0]) : Number(option.values[0]);
  if (Number.isNaN(chosen)) throw new Error(formatExtension(extension));
  const probability = option.inverted ? 1 - chosen : chosen;
  if (probability <= 0) return [() => BREAK];
  if (probability >= 1) return [];
  const result: Result = {
    kind: "choice",
    branches: [
      { probability, result: CONTINUE },
      { probability: 1 - probability, result: BREAK },
    ],
  };
  return [() => result];
};

/** Reads a part of a packet that a set compares; undefined if the packet has none. */
function readPart(kind: string, side: "src" | "dst", packet: Packet): IpsetPart | undefined {
  const isSource = side === "src";
  switch (kind) {
    case "ip":
    case "net":
      return parseAddressNumber(isSource ? packet.source : packet.destination);
    case "port":
      return {
        protocol: findProtocolNumber(packet),
        port:
          packet.protocol === "icmp"
            ? (packet.icmpType ?? 0) * 256 + (packet.icmpCode ?? 0)
            : isSource
              ? packet.sourcePort
              : packet.destinationPort,
      };
    case "iface":
      return isSource ? packet.inLink : packet.outLink;
    case "mac":
      return isSource ? packet.sourceMac : packet.destinationMac;
    case "mark":
      return packet.mark;
    default:
      throw new Error(`part ${kind} of an ipset`);
  }
}

type SetPredicate = (packet: Packet) => boolean;

/** Creates a predicate for a set; a list of sets contains the elements of all its sets. */
function createSetPredicate(name: string, sides: readonly ("src" | "dst")[], scope: RuleScope): SetPredicate {
  const set = findSet(name, scope);
  if (set.type === "list:set") {
    const members = set.elements.map((element) => createSetPredicate(element.split(" ")[0] ?? "", sides, scope));
    return (packet) => members.some((predicate) => predicate(packet));
  }
  // The kernel finds no element if the set has another family, or more parts than the rule has directions.
  if (sides.length < set.parts.length || (set.family !== undefined && set.family !== scope.family)) return () => false;
  const index = scope.indexSet(set);
  return (packet) => {
    const parts: IpsetPart[] = [];
    for (const [position, kind] of set.parts.entries()) {
      const part = readPart(kind, sides[position] ?? "src", packet);
      if (part === undefined) return false;
      parts.push(part);
    }
    return includesParts(index, parts);
  };
}

function findSet(name: string, { ipsets }: RuleScope): Ipset {
  const set = ipsets?.get(name);
  if (set === undefined) throw new Error(`ipset ${name} is not in the snapshot`);
  return set;
}

const compileSet: MatchCompiler = (extension, scope) => {
  rejectOtherOptions(extension, ["--match-set"]);
  return extension.options.map((option) => {
    const [name = "", flags = ""] = option.values;
    const sides = flags.split(",").map((side) => (side === "src" ? "src" : "dst"));
    const predicate = createSetPredicate(name, sides, scope);
    return (packet) => toMatchResult(predicate(packet) !== option.inverted);
  });
};

/** Matches by a lookup of a route or set, or by a random number. */
export const LOOKUP_MATCHES: Readonly<Record<string, MatchCompiler>> = {
  addrtype: compileAddressType,
  rpfilter: compileReversePath,
  statistic: compileStatistic,
  set: compileSet,
};
