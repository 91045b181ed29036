import ipaddr from "ipaddr.js";

/** A packet of a capture for tests of the parser. */
interface CapturedFrame {
  readonly packet: Buffer;
  readonly direction: "in" | "out" | "other-host";
  readonly interfaceIndex: number;
}

const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, icmpv6: 58 } as const;
const PACKET_TYPE = { in: 0, "other-host": 3, out: 4 } as const;

const u16 = (...values: readonly number[]): Buffer => {
  const buffer = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => buffer.writeUInt16BE(value, index * 2));
  return buffer;
};
const encodeAddress = (text: string): Buffer => Buffer.from(ipaddr.parse(text).toByteArray());

export function buildIpv4(
  protocol: keyof typeof PROTOCOL,
  source: string,
  destination: string,
  payload: Buffer,
): Buffer {
  const head = Buffer.alloc(12);
  head[0] = 0x45;
  head.writeUInt16BE(20 + payload.length, 2);
  head[8] = 64;
  head[9] = PROTOCOL[protocol];
  return Buffer.concat([head, encodeAddress(source), encodeAddress(destination), payload]);
}

export function buildIpv6(next: keyof typeof PROTOCOL, source: string, destination: string, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head[0] = 0x60;
  head.writeUInt16BE(payload.length, 4);
  head[6] = PROTOCOL[next];
  head[7] = 64;
  return Buffer.concat([head, encodeAddress(source), encodeAddress(destination), payload]);
}

export function buildTcp(source: number, destination: number, data: string): Buffer {
  const header = Buffer.alloc(16);
  header[8] = 5 << 4;
  return Buffer.concat([u16(source, destination), header, Buffer.from(data)]);
}

/** Builds the first packet of a handshake, or with `ack` the answer to it. */
export function buildSyn(source: number, destination: number, sequence: number, ack?: number): Buffer {
  const packet = buildTcp(source, destination, "");
  packet.writeUInt32BE(sequence, 4);
  if (ack !== undefined) packet.writeUInt32BE(ack, 8);
  packet[13] = ack === undefined ? 0x02 : 0x12;
  return packet;
}

export const buildUdp = (source: number, destination: number, data: string | Buffer): Buffer =>
  Buffer.concat([u16(source, destination, 8 + data.length, 0), Buffer.from(data)]);

export const buildIcmp = (type: number, data: string): Buffer =>
  Buffer.concat([Buffer.from([type, 0]), Buffer.alloc(6), Buffer.from(data)]);

/** Builds a VXLAN packet (RFC 7348): UDP to port 4789, eight bytes of header, the inner frame. */
export const buildVxlan = (inner: Buffer): Buffer =>
  buildUdp(50000, 4789, Buffer.concat([Buffer.alloc(8), Buffer.alloc(12), u16(0x0800), inner]));

/** Builds a file as tcpdump writes it: nanoseconds, LINUX_SLL2; record n at n seconds. */
export function buildCapture(frames: readonly CapturedFrame[]): Buffer {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b23c4d, 0);
  head.writeUInt32LE(276, 20);
  const records = frames.map(({ packet, direction, interfaceIndex }, index) => {
    const sll2 = Buffer.alloc(20);
    sll2.writeUInt16BE((packet[0] ?? 0) >> 4 === 6 ? 0x86dd : 0x0800, 0);
    sll2.writeUInt32BE(interfaceIndex, 4);
    sll2[10] = PACKET_TYPE[direction];
    const record = Buffer.alloc(16);
    record.writeUInt32LE(index + 1, 0);
    record.writeUInt32LE(20 + packet.length, 8);
    return Buffer.concat([record, sll2, packet]);
  });
  return Buffer.concat([head, ...records]);
}
