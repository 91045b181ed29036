import ipaddr from "ipaddr.js";

const UDP = 17;
const HOP_LIMIT = 64;
const ETHERTYPE = { 4: 0x0800, 16: 0x86dd } as const;

interface Datagram {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Buffer;
}

/** Builds a UDP datagram in an IPv4 or IPv6 packet (RFC 768, 791, 8200). Pure. */
export function buildPacket({ source, destination, sourcePort, destinationPort, payload }: Datagram): Buffer {
  const [sourceBytes, destinationBytes] = [source, destination].map((text) =>
    Buffer.from(ipaddr.parse(text).toByteArray()),
  ) as [Buffer, Buffer];
  if (sourceBytes.length !== destinationBytes.length)
    throw new Error(`invalid datagram from ${source} to ${destination}: the addresses are of two families`);
  const udp = Buffer.concat([Buffer.alloc(8), payload]);
  udp.writeUInt16BE(sourcePort, 0);
  udp.writeUInt16BE(destinationPort, 2);
  udp.writeUInt16BE(udp.length, 4);
  const pseudoHeader = Buffer.alloc(8);
  pseudoHeader.writeUInt32BE(udp.length, 0);
  pseudoHeader.writeUInt32BE(UDP, 4);
  udp.writeUInt16BE(
    calculateDatagramChecksum(Buffer.concat([sourceBytes, destinationBytes, pseudoHeader, udp])) || 0xffff,
    6,
  );
  return Buffer.concat([
    sourceBytes.length === 4
      ? buildIpv4Header(sourceBytes, destinationBytes, udp.length)
      : buildIpv6Header(sourceBytes, destinationBytes, udp.length),
    udp,
  ]);
}

/** Builds an Ethernet frame around a packet. @param destination MAC address as `aa:bb:cc:dd:ee:ff` */
export function buildEthernetFrame(destination: string, source: string, packet: Buffer): Buffer {
  const type = Buffer.alloc(2);
  type.writeUInt16BE((packet[0] ?? 0) >> 4 === 6 ? ETHERTYPE[16] : ETHERTYPE[4]);
  return Buffer.concat([parseMac(destination), parseMac(source), type, packet]);
}

function buildIpv4Header(source: Buffer, destination: Buffer, length: number): Buffer {
  const header = Buffer.concat([Buffer.alloc(12), source, destination]);
  header[0] = 0x45;
  header.writeUInt16BE(header.length + length, 2);
  header[8] = HOP_LIMIT;
  header[9] = UDP;
  header.writeUInt16BE(calculateDatagramChecksum(header), 10);
  return header;
}

function buildIpv6Header(source: Buffer, destination: Buffer, length: number): Buffer {
  const header = Buffer.concat([Buffer.alloc(8), source, destination]);
  header[0] = 0x60;
  header.writeUInt16BE(length, 4);
  header[6] = UDP;
  header[7] = HOP_LIMIT;
  return header;
}

/** Returns the Internet checksum of bytes (RFC 1071). */
function calculateDatagramChecksum(bytes: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < bytes.length; offset += 2)
    sum += ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

function parseMac(text: string): Buffer {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) throw new Error(`invalid MAC address "${text}"`);
  return Buffer.from(text.replaceAll(":", ""), "hex");
}
