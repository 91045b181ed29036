import type { Packet } from "../../packet.ts";
import { parseAddressNumber } from "../model/address-number.ts";
import { findProtocolNumber } from "../model/protocols.ts";
import {
  ADDRESS,
  type Datatype,
  DSCP,
  ECN,
  ETHER_TYPE,
  ICMP_CODE,
  ICMP_TYPE,
  ICMPV6_CODE,
  ICMPV6_TYPE,
  MAC,
  NUMBER,
  PROTOCOL,
  TCP_FLAG_BITS,
  TCP_FLAGS,
} from "./datatype.ts";
import { createUndecidedExpression, type PacketExpression } from "./expression.ts";
import { readField, readTextField } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";
import { ABSENT, toReading, type Value } from "./value.ts";

interface Field {
  readonly type: Datatype;
  /** Undefined if the model of a packet does not contain the field. */
  readonly read: (packet: Packet) => Value | undefined;
}

const SOURCE_PORT: Field = { type: NUMBER, read: ({ sourcePort }) => sourcePort };
const DESTINATION_PORT: Field = { type: NUMBER, read: ({ destinationPort }) => destinationPort };
const SOURCE: Field = { type: ADDRESS, read: ({ source }) => parseAddressNumber(source) };
const DESTINATION: Field = { type: ADDRESS, read: ({ destination }) => parseAddressNumber(destination) };
/** Fields of a traced packet's traffic class. */
const TRAFFIC_CLASS: Readonly<Record<string, Field>> = {
  dscp: { type: DSCP, read: () => 0 },
  ecn: { type: ECN, read: () => 0 },
};
const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
const DONT_FRAGMENT = 0x4000;

/** Fields that the model of a packet has, by protocol as nft names it. */
const FIELDS: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  ip: {
    saddr: SOURCE,
    daddr: DESTINATION,
    protocol: { type: PROTOCOL, read: findProtocolNumber },
    version: { type: NUMBER, read: () => 4 },
    hdrlength: { type: NUMBER, read: () => IPV4_HEADER_BYTES },
    length: { type: NUMBER, read: ({ length }) => length },
    ttl: { type: NUMBER, read: ({ ttl }) => ttl },
    "frag-off": { type: NUMBER, read: ({ dontFragment }) => (dontFragment ? DONT_FRAGMENT : 0) },
    ...TRAFFIC_CLASS,
  },
  ip6: {
    saddr: SOURCE,
    daddr: DESTINATION,
    nexthdr: { type: PROTOCOL, read: findProtocolNumber },
    version: { type: NUMBER, read: () => 6 },
    length: { type: NUMBER, read: ({ length }) => length - IPV6_HEADER_BYTES },
    hoplimit: { type: NUMBER, read: ({ ttl }) => ttl },
    ...TRAFFIC_CLASS,
  },
  tcp: {
    sport: SOURCE_PORT,
    dport: DESTINATION_PORT,
    flags: {
      type: TCP_FLAGS,
      read: ({ tcpFlags = [] }) => tcpFlags.reduce((sum: number, flag) => sum | TCP_FLAG_BITS[flag], 0),
    },
  },
  udp: { sport: SOURCE_PORT, dport: DESTINATION_PORT },
  // For ICMP these are the bytes of type and code, then the checksum.
  th: { sport: SOURCE_PORT, dport: DESTINATION_PORT },
  icmp: {
    type: { type: ICMP_TYPE, read: ({ icmpType }) => icmpType },
    code: { type: ICMP_CODE, read: ({ icmpCode }) => icmpCode },
  },
  icmpv6: {
    type: { type: ICMPV6_TYPE, read: ({ icmpType }) => icmpType },
    code: { type: ICMPV6_CODE, read: ({ icmpCode }) => icmpCode },
  },
  ether: {
    saddr: { type: MAC, read: ({ sourceMac }) => sourceMac },
    daddr: { type: MAC, read: ({ destinationMac }) => destinationMac },
    type: { type: ETHER_TYPE, read: ({ family }) => (family === "ipv4" ? 0x0800 : 0x86dd) },
  },
};

/** Conditions under which a packet has a protocol's header; nft checks them before it compares the field. */
const HAS_HEADER: Readonly<Record<string, (packet: Packet) => boolean>> = {
  ip: ({ family }) => family === "ipv4",
  ip6: ({ family }) => family === "ipv6",
  tcp: ({ protocol }) => protocol === "tcp",
  udp: ({ protocol }) => protocol === "udp",
  icmp: ({ protocol, family }) => protocol === "icmp" && family === "ipv4",
  icmpv6: ({ protocol, family }) => protocol === "icmp" && family === "ipv6",
  th: () => true,
  ether: () => true,
};

/** Protocols that a traced packet does not have. */
const OTHER_PROTOCOLS = new Set(["ah", "arp", "comp", "dccp", "esp", "gre", "igmp", "sctp", "udplite", "vlan"]);

/**
 * Compiles `{"payload": {"protocol": "ip", "field": "saddr"}}`.
 *
 * @throws an error whose message is the field, if it is unsupported
 */
export function compilePayload(json: NftJson): PacketExpression {
  if (readField(json, "base") !== undefined) throw new Error(`payload ${JSON.stringify(json)}`);
  const protocol = readTextField(json, "protocol");
  const name = readTextField(json, "field");
  if (OTHER_PROTOCOLS.has(protocol)) return { type: NUMBER, read: () => ABSENT };
  const hasHeader = HAS_HEADER[protocol];
  if (hasHeader === undefined) throw new Error(`${protocol} ${name}`);
  const field = FIELDS[protocol]?.[name];
  if (field === undefined) {
    const { type, read } = createUndecidedExpression(`${protocol} ${name}`, NUMBER);
    return { type, read: (packet, context) => (hasHeader(packet) ? read(packet, context) : ABSENT) };
  }
  return {
    type: field.type,
    ...(field === SOURCE_PORT || field === DESTINATION_PORT ? { isPort: true } : {}),
    read: (packet) => {
      if (!hasHeader(packet)) return ABSENT;
      const value = field.read(packet);
      return value === undefined ? { kind: "undecided", reason: `${protocol} ${name}` } : toReading(value);
    },
  };
}
