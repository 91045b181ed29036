import { MARKS } from "../probe/protocol.ts";

/** A packet of a probe, as one tap saw it. */
export interface Sighting {
  /** Nanoseconds of the kernel's clock, which all namespaces share. */
  readonly time: bigint;
  readonly interfaceIndex: number;
  readonly direction: "in" | "out";
  /** Not for this host's MAC address: a bridge's flood, or a macvlan child's. */
  readonly otherHost: boolean;
  /** Inside VXLAN: addresses are the inner ones. */
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
const ETHERTYPE_IPV4 = 0x0800;
const [ICMP, TCP, UDP] = [1, 6, 17];
const ICMP_ECHO_REPLY = 0;
export const VXLAN_PORT = 4789;
/** UDP, VXLAN (RFC 7348) and inner Ethernet headers. */
const VXLAN_OVERHEAD = 8 + 8 + 14;

/** The probes' packets in what `tcpdump -i any --time-stamp-precision=nano -w FILE` wrote (draft-ietf-opsawg-pcap). */
export function readCapture(file: Buffer): readonly Sighting[] {
  if (file.length < 24) return [];
  if (file.readUInt32LE(0) !== NANOSECOND_MAGIC || file.readUInt32LE(20) !== LINUX_SLL2)
    throw new Error(
      "The capture is not of the kind that was asked for (nanoseconds, LINUX_SLL2): is this another tcpdump?",
    );
  const sightings: Sighting[] = [];
  for (let at = 24; at + 16 <= file.length;) {
    const length = file.readUInt32LE(at + 8);
    const time = BigInt(file.readUInt32LE(at)) * 1_000_000_000n + BigInt(file.readUInt32LE(at + 4));
    const packet = file.subarray(at + 16, at + 16 + length);
    const seen = readPacket(packet, time);
    if (seen !== undefined) sightings.push(seen);
    at += 16 + length;
  }
  return sightings;
}

function readPacket(packet: Buffer, time: bigint): Sighting | undefined {
  if (packet.length < SLL2_LENGTH + 20 || packet.readUInt16BE(0) !== ETHERTYPE_IPV4) return undefined;
  const type = packet[10];
  const outer = packet.subarray(SLL2_LENGTH);
  const inner = decapsulate(outer);
  const ip = inner ?? outer;
  const mark = MARK.exec(ip.toString("latin1"));
  if (mark?.[1] === undefined || mark[2] === undefined || ip.length < 24) return undefined;
  const headerLength = headerLengthOf(ip);
  const protocol = ip[9];
  const port = (offset: number) =>
    protocol === TCP || protocol === UDP ? `:${ip.readUInt16BE(headerLength + offset)}` : "";
  const isReply =
    mark[1] === MARKS.ping ? protocol === ICMP && ip[headerLength] === ICMP_ECHO_REPLY : mark[1] === MARKS.reply;
  return {
    time,
    interfaceIndex: packet.readUInt32BE(4),
    direction: type === PACKET_OUTGOING ? "out" : "in",
    otherHost: type === PACKET_OTHERHOST,
    encapsulated: inner !== undefined,
    source: `${address(ip, 12)}${port(0)}`,
    destination: `${address(ip, 16)}${port(2)}`,
    token: mark[2],
    kind: isReply ? "reply" : "request",
  };
}

/** As probe/protocol.ts writes it. */
const MARK = /([qrp]):([0-9a-z]{6});/;

const headerLengthOf = (ip: Buffer): number => ((ip[0] ?? 0) & 0xf) * 4;
const address = (ip: Buffer, at: number): string => ip.subarray(at, at + 4).join(".");

function decapsulate(ip: Buffer): Buffer | undefined {
  const header = headerLengthOf(ip);
  if (ip[9] !== UDP || ip.length < header + VXLAN_OVERHEAD + 20) return undefined;
  return ip.readUInt16BE(header + 2) === VXLAN_PORT ? ip.subarray(header + VXLAN_OVERHEAD) : undefined;
}
