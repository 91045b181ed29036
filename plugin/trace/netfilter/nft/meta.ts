import type { Packet } from "../../packet.ts";
import { findProtocolNumber } from "../model/protocols.ts";
import type { StatementContext } from "../model/ruleset.ts";
import { type Datatype, ETHER_TYPE, FAMILY, LINK, NUMBER, PACKET_TYPE, PROTOCOL, TEXT } from "./datatype.ts";
import { createUndecidedExpression, type PacketExpression } from "./expression.ts";
import { readTextField } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";
import { type Reading, toReading, type Value } from "./value.ts";

type LinkSide = "inLink" | "outLink" | "inPort" | "outPort";

function createField(type: Datatype, read: (packet: Packet) => Value | undefined): PacketExpression {
  return { type, read: (packet) => toReading(read(packet)) };
}

/** Creates a field with the name of a link, empty without a link. In family bridge the links are ports. */
function createLinkField(link: LinkSide, port: LinkSide): PacketExpression {
  return {
    type: LINK,
    read: (packet, { hook }) => toReading(packet[hook.startsWith("bridge-") ? port : link] ?? ""),
  };
}

/** Kinds that the kernel reports as Ethernet (ARPHRD_ETHER). */
const ETHERNET_KINDS = new Set(["bond", "bridge", "device", "dummy", "ipvlan", "macvlan", "veth", "vlan", "vxlan"]);

function readLinkType(name: string | undefined, { lookups }: StatementContext): Reading {
  const kind = name === undefined ? undefined : lookups.findLinkKind(name);
  if (name === undefined) return toReading(undefined);
  if (name === "lo" || kind === "loopback") return toReading("loopback");
  if (kind !== undefined && ETHERNET_KINDS.has(kind)) return toReading("ether");
  return { kind: "undecided", reason: `type of link ${name}` };
}

/** Reads the kind of a link; absent for hardware and the loopback link, which have no kind. */
function readLinkKind(name: string | undefined, { lookups }: StatementContext): Reading {
  const kind = name === undefined ? undefined : lookups.findLinkKind(name);
  return toReading(kind === "device" || kind === "loopback" ? undefined : kind);
}

const FIELDS: Readonly<Record<string, PacketExpression>> = {
  mark: createField(NUMBER, ({ mark }) => mark),
  iif: createLinkField("inLink", "inPort"),
  iifname: createLinkField("inLink", "inPort"),
  oif: createLinkField("outLink", "outPort"),
  oifname: createLinkField("outLink", "outPort"),
  iiftype: { type: TEXT, read: ({ inLink }, context) => readLinkType(inLink, context) },
  oiftype: { type: TEXT, read: ({ outLink }, context) => readLinkType(outLink, context) },
  iifkind: { type: TEXT, read: ({ inLink }, context) => readLinkKind(inLink, context) },
  oifkind: { type: TEXT, read: ({ outLink }, context) => readLinkKind(outLink, context) },
  l4proto: createField(PROTOCOL, findProtocolNumber),
  nfproto: createField(FAMILY, ({ family }) => FAMILY.parse(family)),
  protocol: createField(ETHER_TYPE, ({ family }) => ETHER_TYPE.parse(family === "ipv4" ? "ip" : "ip6")),
  length: createField(NUMBER, ({ length }) => length),
  pkttype: createField(PACKET_TYPE, () => PACKET_TYPE.parse("host")),
};

/** Compiles `{"meta": {"key": "mark"}}`; keys of sockets, times and processors are undecided. */
export function compileMeta(json: NftJson): PacketExpression {
  const key = readTextField(json, "key");
  return FIELDS[key] ?? createUndecidedExpression(`meta ${key}`, NUMBER);
}
