import { encodeIp, decodeIp, encodeMac, decodeMac } from "../../netlink/ip.ts";
import type { Ip } from "../address.ts";

/** Encodes and decodes ARP over Ethernet and IPv4 (RFC 826). Pure. */

const ETHERTYPE_ARP = 0x0806;
const BROADCAST = "ff:ff:ff:ff:ff:ff";
const REQUEST = 1;
/** Hardware type Ethernet, protocol IPv4, lengths 6 and 4. */
const PREFIX = Buffer.from([0x00, 0x01, 0x08, 0x00, 6, 4]);
const ETHERNET_BYTES = 14;
const ARP_BYTES = 28;

interface Arp {
  readonly senderMac: string;
  /** 0.0.0.0 in a probe (RFC 5227, 1.1). */
  readonly senderIp: string;
  readonly targetIp: string;
}

/** Encodes an ARP request for `target`; without `sender` it is a probe. */
export function encodeArpRequest(mac: string, target: Ip, sender?: Ip): Buffer {
  const operation = Buffer.alloc(2);
  operation.writeUInt16BE(REQUEST);
  const type = Buffer.alloc(2);
  type.writeUInt16BE(ETHERTYPE_ARP);
  return Buffer.concat([
    encodeMac(BROADCAST),
    encodeMac(mac),
    type,
    PREFIX,
    operation,
    encodeMac(mac),
    sender === undefined ? Buffer.alloc(4) : encodeIp(sender),
    Buffer.alloc(6),
    encodeIp(target),
  ]);
}

/** Decodes an ARP frame; undefined if the frame is not ARP. */
export function decodeArp(frame: Buffer): Arp | undefined {
  if (frame.length < ETHERNET_BYTES + ARP_BYTES || frame.readUInt16BE(12) !== ETHERTYPE_ARP) return undefined;
  const arp = frame.subarray(ETHERNET_BYTES);
  if (!arp.subarray(0, PREFIX.length).equals(PREFIX)) return undefined;
  return {
    senderMac: decodeMac(arp.subarray(8, 14)),
    senderIp: decodeIp(arp.subarray(14, 18)),
    targetIp: decodeIp(arp.subarray(24, 28)),
  };
}
