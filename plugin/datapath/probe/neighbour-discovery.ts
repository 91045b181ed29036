import { encodeIp, decodeIp, encodeMac, decodeMac } from "../../netlink/ip.ts";
import { type Ip, parseIp } from "../address.ts";

/** Encodes and decodes neighbour solicitations and advertisements (RFC 4861, sections 4.3 and 4.4) as Ethernet frames. Pure. */

const ETHERTYPE_IPV6 = 0x86dd;
const ICMPV6 = 58;
const HOP_LIMIT = 255;
const SOLICITATION = 135;
const ADVERTISEMENT = 136;
const SOURCE_LINK_ADDRESS = 1;
const TARGET_LINK_ADDRESS = 2;
const ETHERNET_BYTES = 14;
const IPV6_BYTES = 40;
/** Type, code, checksum, flags, target. */
const MESSAGE_BYTES = 24;
const UNSPECIFIED = parseIp("::");

interface NeighbourMessage {
  readonly kind: "solicitation" | "advertisement";
  /** :: in duplicate address detection (RFC 4862, 5.4.2). */
  readonly source: string;
  readonly target: string;
  /** Link address in the message's option, or else the frame's sender. */
  readonly mac: string;
}

/** Encodes a solicitation for `target`; without `sender` it is one of duplicate address detection, without a link address. */
export function encodeNeighbourSolicitation(mac: string, target: Ip, sender: Ip = UNSPECIFIED): Buffer {
  const group = buildSolicitedNodeAddress(target);
  const option =
    sender === UNSPECIFIED ? Buffer.alloc(0) : Buffer.concat([Buffer.of(SOURCE_LINK_ADDRESS, 1), encodeMac(mac)]);
  const message = Buffer.concat([Buffer.of(SOLICITATION, 0, 0, 0, 0, 0, 0, 0), encodeIp(target), option]);
  const header = Buffer.alloc(8);
  header.writeUInt8(0x60, 0);
  header.writeUInt16BE(message.length, 4);
  header.writeUInt8(ICMPV6, 6);
  header.writeUInt8(HOP_LIMIT, 7);
  message.writeUInt16BE(calculateChecksum(encodeIp(sender), group, message), 2);
  const type = Buffer.alloc(2);
  type.writeUInt16BE(ETHERTYPE_IPV6);
  const multicastMac = Buffer.concat([Buffer.of(0x33, 0x33), group.subarray(12)]); // RFC 2464, section 7
  return Buffer.concat([multicastMac, encodeMac(mac), type, header, encodeIp(sender), group, message]);
}

/** Decodes a solicitation or advertisement; undefined for any other frame. */
export function decodeNeighbourMessage(frame: Buffer): NeighbourMessage | undefined {
  const start = ETHERNET_BYTES + IPV6_BYTES;
  if (frame.length < start + MESSAGE_BYTES || frame.readUInt16BE(12) !== ETHERTYPE_IPV6) return undefined;
  if (frame.readUInt8(ETHERNET_BYTES + 6) !== ICMPV6 || frame.readUInt8(ETHERNET_BYTES + 7) !== HOP_LIMIT)
    return undefined;
  const type = frame.readUInt8(start);
  if (type !== SOLICITATION && type !== ADVERTISEMENT) return undefined;
  return {
    kind: type === SOLICITATION ? "solicitation" : "advertisement",
    source: decodeIp(frame.subarray(ETHERNET_BYTES + 8, ETHERNET_BYTES + 24)),
    target: decodeIp(frame.subarray(start + 8, start + 24)),
    mac: decodeMac(findLinkAddress(frame.subarray(start + MESSAGE_BYTES)) ?? frame.subarray(6, 12)),
  };
}

function findLinkAddress(options: Buffer): Buffer | undefined {
  for (let offset = 0; offset + 8 <= options.length;) {
    const type = options.readUInt8(offset);
    const length = options.readUInt8(offset + 1) * 8;
    if (length === 0) return undefined;
    if (type === SOURCE_LINK_ADDRESS || type === TARGET_LINK_ADDRESS) return options.subarray(offset + 2, offset + 8);
    offset += length;
  }
  return undefined;
}

/** Builds the solicited-node address: ff02::1:ff00:0/104 and the last three bytes (RFC 4291, section 2.7.1). */
function buildSolicitedNodeAddress(target: Ip): Buffer {
  return Buffer.concat([encodeIp(parseIp("ff02::1:ff00:0")).subarray(0, 13), encodeIp(target).subarray(13)]);
}

/** Calculates the checksum of pseudo-header and message, whose checksum field is zero (RFC 8200, section 8.1). */
function calculateChecksum(source: Buffer, destination: Buffer, message: Buffer): number {
  const tail = Buffer.alloc(8);
  tail.writeUInt32BE(message.length, 0);
  tail.writeUInt8(ICMPV6, 7);
  const checkedBytes = Buffer.concat([source, destination, tail, message]);
  let sum = 0;
  for (let offset = 0; offset < checkedBytes.length; offset += 2)
    sum +=
      (checkedBytes.readUInt8(offset) << 8) +
      (offset + 1 < checkedBytes.length ? checkedBytes.readUInt8(offset + 1) : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
