import type { Packet, Tuple } from "../packet.ts";
import { advanceTcpState, type TcpState } from "./tcp-state.ts";

/** Address and port that a translation sets. */
export interface TranslatedEndpoint {
  readonly address: string;
  readonly port: number;
}

/** A connection in the conntrack table of one network namespace. Mutable during one trace. */
export interface Connection {
  readonly zone: number;
  readonly protocol: Packet["protocol"];
  /** Tuple of the first packet before translation. */
  readonly original: Tuple;
  /** Destination translation; null if nat chains have set none, undefined before they were evaluated. */
  destination: TranslatedEndpoint | null | undefined;
  /** Source translation, with the same values. */
  source: TranslatedEndpoint | null | undefined;
  seenReply: boolean;
  mark: number;
  tcpState: TcpState;
}

/** Connections of one network namespace during one trace. */
export interface ConntrackTable {
  readonly connections: Connection[];
  /** `nf_conntrack_tcp_loose`: a connection may be picked up without its SYN. */
  readonly loose: boolean;
}

/** Result of conntrack for a packet. */
export interface TrackResult {
  readonly packet: Packet;
  /** Undefined for an INVALID or untracked packet. */
  readonly connection: Connection | undefined;
}

/** ICMP and ICMPv6 types that start a connection: echo requests. */
const ECHO_REQUEST = new Set([8, 128]);

/** Assigns a packet to an existing or new connection, as `nf_conntrack_in` does. */
export function trackPacket(table: ConntrackTable, packet: Packet): TrackResult {
  const match = findConnection(table, packet);
  if (match === undefined) return startConnection(table, packet);
  const { connection, direction } = match;
  if (packet.protocol === "tcp") {
    const next = advanceTcpState(connection.tcpState, direction, packet.tcpFlags ?? []);
    if (next === "invalid") return { packet: { ...packet, conntrackState: "invalid" }, connection: undefined };
    if (next !== "ignored") connection.tcpState = next;
  }
  if (direction === "reply") connection.seenReply = true;
  return { packet: describeConnection(packet, connection, direction), connection };
}

function startConnection(table: ConntrackTable, packet: Packet): TrackResult {
  const invalid: TrackResult = { packet: { ...packet, conntrackState: "invalid" }, connection: undefined };
  let tcpState: TcpState = "none";
  if (packet.protocol === "icmp" && !ECHO_REQUEST.has(packet.icmpType ?? 0)) return invalid;
  if (packet.protocol === "tcp") {
    const next = advanceTcpState("none", "original", packet.tcpFlags ?? []);
    if (next === "invalid" || next === "ignored") return invalid;
    if (next !== "syn-sent" && !table.loose) return invalid;
    tcpState = next;
  }
  const { source, destination, sourcePort, destinationPort } = packet;
  const connection: Connection = {
    zone: packet.conntrackZone,
    protocol: packet.protocol,
    original: { source, destination, sourcePort, destinationPort },
    destination: undefined,
    source: undefined,
    seenReply: false,
    mark: 0,
    tcpState,
  };
  table.connections.push(connection);
  return { packet: describeConnection(packet, connection, "original"), connection };
}

function describeConnection(packet: Packet, connection: Connection, direction: Packet["direction"]): Packet {
  return {
    ...packet,
    conntrackState: connection.seenReply ? "established" : "new",
    conntrackStatus: describeStatus(connection),
    connmark: connection.mark,
    originalTuple: connection.original,
    direction,
  };
}

/** IPS_DST_NAT and IPS_SRC_NAT of a connection. */
export function describeStatus({ source, destination }: Connection): Packet["conntrackStatus"] {
  return { dnat: destination !== undefined && destination !== null, snat: source !== undefined && source !== null };
}

function findConnection(
  { connections }: ConntrackTable,
  packet: Packet,
): { readonly connection: Connection; readonly direction: Packet["direction"] } | undefined {
  for (const connection of connections) {
    if (connection.zone !== packet.conntrackZone || connection.protocol !== packet.protocol) continue;
    if (isSameTuple(connection.original, packet)) return { connection, direction: "original" };
    if (isSameTuple(getReplyTuple(connection), packet)) return { connection, direction: "reply" };
  }
  return undefined;
}

function isSameTuple(first: Tuple, second: Tuple): boolean {
  return (
    first.source === second.source &&
    first.destination === second.destination &&
    first.sourcePort === second.sourcePort &&
    first.destinationPort === second.destinationPort
  );
}

/** Returns the tuple of reply packets: from the translated destination to the translated source. */
function getReplyTuple({ original, source, destination }: Connection): Tuple {
  return {
    source: destination?.address ?? original.destination,
    sourcePort: destination?.port ?? original.destinationPort,
    destination: source?.address ?? original.source,
    destinationPort: source?.port ?? original.sourcePort,
  };
}

/** Kind of address that nat chains of a hook change: nf_nat_core.h, HOOK2MANIP. */
export type Manipulation = "source" | "destination";

/**
 * Applies the translation of a connection to one kind of address of a packet.
 *
 * @param manipulation kind of address that the hook changes; in a reply packet the opposite translation is undone
 */
export function applyTranslation(packet: Packet, connection: Connection, manipulation: Manipulation): Packet {
  const { original } = connection;
  if (packet.direction === "original") {
    const target = connection[manipulation];
    return target === undefined || target === null ? packet : writeEndpoint(packet, manipulation, target);
  }
  const translated = connection[manipulation === "destination" ? "source" : "destination"];
  if (translated === undefined || translated === null) return packet;
  return manipulation === "destination"
    ? writeEndpoint(packet, "destination", { address: original.source, port: original.sourcePort })
    : writeEndpoint(packet, "source", { address: original.destination, port: original.destinationPort });
}

/** Replaces an address and its port. */
export function writeEndpoint(
  packet: Packet,
  manipulation: Manipulation,
  { address, port }: TranslatedEndpoint,
): Packet {
  return manipulation === "destination"
    ? { ...packet, destination: address, destinationPort: port }
    : { ...packet, source: address, sourcePort: port };
}
