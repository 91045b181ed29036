import ipaddr from "ipaddr.js";
import { MARKS } from "../probe/protocol.ts";

/** A packet of a probe, as one capture point saw it. */
export interface ObservedPacket {
  /** Nanoseconds of the kernel's clock, which all namespaces share. */
  readonly time: bigint;
  readonly interfaceIndex: number;
  readonly direction: "in" | "out";
  /** Whether its MAC address is not this host's: a bridge flooded it, or it is for a macvlan child. */
  readonly otherHost: boolean;
  /** Whether it was inside VXLAN; the addresses are then the inner ones. */
  readonly encapsulated: boolean;
  readonly source: string;
  readonly destination: string;
  readonly token: string;
  readonly kind: "request" | "reply";
}

const NANOSECOND_MAGIC = 0xa1b23c4d;
const LINUX_SLL2 = 276;
const SLL2_LENGTH = 20;
const PACKET_OTHERHOST = 3;
const PACKET_OUTGOING = 4;
const ETHERTYPES: readonly number[] = [0x0800, 0x86dd];
const [TCP, UDP] = [6, 17];
export const VXLAN_PORT = 4789;
/** UDP, VXLAN (RFC 7348) and inner Ethernet headers. */
const VXLAN_OVERHEAD = 8 + 8 + 14;

/** Returns the probes' packets in a file of `tcpdump -i any --time-stamp-precision=nano -w FILE` (draft-ietf-opsawg-pcap). */
export function readCapture(file: Buffer): readonly ObservedPacket[] {
  if (file.length < 24) return [];
  if (file.readUInt32LE(0) !== NANOSECOND_MAGIC || file.readUInt32LE(20) !== LINUX_SLL2)
    throw new Error(
      "The capture does not have the requested format (nanoseconds, LINUX_SLL2): is this another tcpdump?",
    );
  const packets: ObservedPacket[] = [];
  for (let offset = 24; offset + 16 <= file.length;) {
    const length = file.readUInt32LE(offset + 8);
    const time = BigInt(file.readUInt32LE(offset)) * 1_000_000_000n + BigInt(file.readUInt32LE(offset + 4));
    const packet = file.subarray(offset + 16, offset + 16 + length);
    const seen = readPacket(packet, time);
    if (seen !== undefined) packets.push(seen);
    offset += 16 + length;
  }
  return packets;
}

function readPacket(packet: Buffer, time: bigint): ObservedPacket | undefined {
  if (packet.length < SLL2_LENGTH + 20 || !ETHERTYPES.includes(packet.readUInt16BE(0))) return undefined;
  const type = packet[10];
  const outer = readHeader(packet.subarray(SLL2_LENGTH));
  const inner = decapsulate(outer);
  const { source, destination, protocol, echo, payload } = inner ?? outer;
  if (payload.length < 4) return undefined;
  const mark = parseHandshake(protocol, payload) ?? MARK.exec(payload.toString("latin1"));
  if (mark?.[1] === undefined || mark[2] === undefined) return undefined;
  // An ICMP error or redirect (ICMPv6 sends redirects for NodePorts on one wire) quotes the probe, so that it has its mark.
  if (protocol === echo.protocol && payload[0] !== echo.request && payload[0] !== echo.reply) return undefined;
  const withPort = (address: string, offset: number) =>
    protocol !== TCP && protocol !== UDP
      ? address
      : `${address.includes(":") ? `[${address}]` : address}:${payload.readUInt16BE(offset)}`;
  const isReply =
    mark[1] === MARKS.ping ? protocol === echo.protocol && payload[0] === echo.reply : mark[1] === MARKS.reply;
  return {
    time,
    interfaceIndex: packet.readUInt32BE(4),
    direction: type === PACKET_OUTGOING ? "out" : "in",
    otherHost: type === PACKET_OTHERHOST,
    encapsulated: inner !== undefined,
    source: withPort(source, 0),
    destination: withPort(destination, 2),
    token: mark[2],
    kind: isReply ? "reply" : "request",
  };
}

/**
 * Recognises a SYN and its SYN-ACK, which have no mark, by the initial sequence number (RFC 9293, 3.4), which does not change on the
 * path.
 */
function parseHandshake(protocol: number, tcp: Buffer): readonly string[] | undefined {
  if (protocol !== TCP || tcp.length < 20) return undefined;
  const flags = (tcp[13] ?? 0) & (SYN | ACK);
  if (flags === SYN) return ["", MARKS.request, `${HANDSHAKE}${tcp.readUInt32BE(4)}`];
  if (flags === (SYN | ACK)) return ["", MARKS.reply, `${HANDSHAKE}${(tcp.readUInt32BE(8) - 1) >>> 0}`];
  return undefined;
}
const [SYN, ACK] = [0x02, 0x10];
/** Prefix of the token of a handshake. */
export const HANDSHAKE = "syn:";

/** The mark that probe/protocol.ts writes. */
const MARK = /([qrp]):([0-9a-z]{6});/;

interface Header {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  /** Protocol and types of ICMP or ICMPv6. */
  readonly echo: { readonly protocol: number; readonly request: number; readonly reply: number };
  readonly payload: Buffer;
}

/** Parses an IP header (RFC 791, RFC 8200). Of the IPv6 extension headers, probes have only that of a fragment. */
function readHeader(packet: Buffer): Header {
  const isFragment = (packet[0] ?? 0) >> 4 === 6 && packet.length >= 48 && packet[6] === FRAGMENT;
  const ip = isFragment ? withoutFragmentHeader(packet) : packet;
  const readAddress = (from: number, to: number) => ipaddr.fromByteArray([...ip.subarray(from, to)]).toString();
  return (ip[0] ?? 0) >> 4 === 6 && ip.length >= 40
    ? {
        source: readAddress(8, 24),
        destination: readAddress(24, 40),
        protocol: ip[6] ?? 0,
        echo: { protocol: 58, request: 128, reply: 129 },
        payload: ip.subarray(40),
      }
    : {
        source: readAddress(12, 16),
        destination: readAddress(16, 20),
        protocol: ip[9] ?? 0,
        echo: { protocol: 1, request: 8, reply: 0 },
        payload: ip.subarray(((ip[0] ?? 0) & 0xf) * 4),
      };
}

/** IPv6 next header of a fragment. */
const FRAGMENT = 44;

/** Returns a first fragment as a whole packet, and only the header of a later one, which has no mark. */
function withoutFragmentHeader(packet: Buffer): Buffer {
  const header = Buffer.from(packet.subarray(0, 40));
  header[6] = packet[40] ?? 0;
  const isFirst = packet.readUInt16BE(42) >> 3 === 0;
  return isFirst ? Buffer.concat([header, packet.subarray(48)]) : header;
}

function decapsulate({ protocol, payload }: Header): Header | undefined {
  if (protocol !== UDP || payload.length < VXLAN_OVERHEAD + 20) return undefined;
  return payload.readUInt16BE(2) === VXLAN_PORT ? readHeader(payload.subarray(VXLAN_OVERHEAD)) : undefined;
}
