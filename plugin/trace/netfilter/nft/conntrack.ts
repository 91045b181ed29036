import type { Packet, Tuple } from "../../packet.ts";
import { parseAddressNumber } from "../model/address-number.ts";
import { hasConntrackEntry } from "../model/conntrack-entry.ts";
import { findProtocolNumber } from "../model/protocols.ts";
import {
  ADDRESS,
  type Datatype,
  DIRECTION,
  FAMILY,
  NUMBER,
  PROTOCOL,
  STATE,
  STATE_BITS,
  STATUS,
  STATUS_BITS,
} from "./datatype.ts";
import { createUndecidedExpression, type PacketExpression } from "./expression.ts";
import { readField, readTextField } from "./json.ts";
import type { NftJson } from "./ruleset-json.ts";
import { ABSENT, toReading, type Value } from "./value.ts";

/** Creates a field of the conntrack entry, which is absent in a packet without an entry. */
function createEntryField(type: Datatype, read: (packet: Packet) => Value | undefined): PacketExpression {
  return { type, read: (packet) => (hasConntrackEntry(packet) ? toReading(read(packet)) : ABSENT) };
}

function createTupleField(type: Datatype, read: (tuple: Tuple) => Value): PacketExpression {
  return createEntryField(type, ({ originalTuple }) => (originalTuple === undefined ? undefined : read(originalTuple)));
}

function computeStatus({ conntrackState, conntrackStatus, direction }: Packet): number {
  const seenReply = conntrackState === "established" || direction === "reply";
  return (
    (seenReply ? STATUS_BITS["seen-reply"] : 0) |
    (conntrackState === "new" ? 0 : STATUS_BITS.confirmed) |
    (conntrackStatus.snat ? STATUS_BITS.snat : 0) |
    (conntrackStatus.dnat ? STATUS_BITS.dnat : 0)
  );
}

const SOURCE = createTupleField(ADDRESS, ({ source }) => parseAddressNumber(source));
const DESTINATION = createTupleField(ADDRESS, ({ destination }) => parseAddressNumber(destination));

const FIELDS: Readonly<Record<string, PacketExpression>> = {
  state: { type: STATE, read: ({ conntrackState = "invalid" }) => toReading(STATE_BITS[conntrackState]) },
  status: createEntryField(STATUS, computeStatus),
  direction: createEntryField(DIRECTION, ({ direction }) => DIRECTION.parse(direction)),
  mark: createEntryField(NUMBER, ({ connmark }) => connmark),
  zone: createEntryField(NUMBER, ({ conntrackZone }) => conntrackZone),
  l3proto: createEntryField(FAMILY, ({ family }) => FAMILY.parse(family)),
  protocol: createEntryField(PROTOCOL, findProtocolNumber),
};

/** Fields of the tuple of the original direction. */
const ORIGINAL_FIELDS: Readonly<Record<string, PacketExpression>> = {
  saddr: SOURCE,
  "ip saddr": SOURCE,
  "ip6 saddr": SOURCE,
  daddr: DESTINATION,
  "ip daddr": DESTINATION,
  "ip6 daddr": DESTINATION,
  "proto-src": createTupleField(NUMBER, ({ sourcePort }) => sourcePort),
  "proto-dst": createTupleField(NUMBER, ({ destinationPort }) => destinationPort),
  l3proto: createEntryField(FAMILY, ({ family }) => FAMILY.parse(family)),
  protocol: createEntryField(PROTOCOL, findProtocolNumber),
};

/** Compiles `{"ct": {"key": "state"}}` and `{"ct": {"key": "ip daddr", "dir": "original"}}`. */
export function compileConntrack(json: NftJson): PacketExpression {
  const key = readTextField(json, "key");
  if (readField(json, "dir") === undefined) return FIELDS[key] ?? createUndecidedExpression(`ct ${key}`, NUMBER);
  const direction = readTextField(json, "dir");
  const field = direction === "original" ? ORIGINAL_FIELDS[key] : undefined;
  return field ?? createUndecidedExpression(`ct ${direction} ${key}`, NUMBER);
}
