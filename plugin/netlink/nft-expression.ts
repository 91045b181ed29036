import { ipBytes, type Prefix } from "./ip.ts";
import { type Attribute, encodeText } from "./message.ts";

/**
 * Expressions of nf_tables' rules: as many as our rules take (linux/netfilter/nf_tables.h). Numbers in attributes are
 * big-endian; what rules compare with is as in packets and registers.
 */

const NF_ACCEPT = 1;
const VERDICT_REGISTER = 0;
const REGISTER_1 = 1;
/** NFT_REG32_00, where register 1 begins too: a key of several parts lies in it and those behind it, a word or more each. */
const FIRST_WORD = 8;
export const REGISTER_BYTES = 4;

const META = { mark: 3, nfproto: 15, l4proto: 16 } as const;
/** nf_tables.h: enum nft_payload_bases */
const HEADER = { network: 1, transport: 2 } as const;
/** nft's own numbers of data types: it prints the elements by them. */
export const DATATYPE = { ipv4_addr: 7, ipv6_addr: 8, inet_service: 13, bits: 6 } as const;

const DYNSET_UPDATE = 1;
/** Bytes of a port, as they are in a header. */
const PORT = 2;
export type SetFamily = "ipv4" | "ipv6";
/** Where a packet has its addresses (RFC 791, RFC 8200), and how long they are. */
export const FAMILIES = {
  ipv4: { nfproto: 2, source: 12, destination: 16, length: 4, datatype: DATATYPE.ipv4_addr },
  ipv6: { nfproto: 10, source: 8, destination: 24, length: 16, datatype: DATATYPE.ipv6_addr },
} as const;

export function encodeBe32(value: number): Buffer {
  const bytes = Buffer.alloc(REGISTER_BYTES);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

function encodeLe32(value: number): Buffer {
  const bytes = Buffer.alloc(REGISTER_BYTES);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** One expression of a rule: `nft --debug=netlink` prints a rule's in the same words. */
export type Expression = Attribute;

function expression(name: string, data: readonly Attribute[]): Expression {
  return {
    type: 1,
    value: [
      { type: 1, value: encodeText(name) },
      { type: 2, value: data },
    ],
  };
}

const loadMeta = (key: number): Expression =>
  expression("meta", [
    { type: 2, value: encodeBe32(key) },
    { type: 1, value: encodeBe32(REGISTER_1) },
  ]);
const setMeta = (key: number): Expression =>
  expression("meta", [
    { type: 2, value: encodeBe32(key) },
    { type: 3, value: encodeBe32(REGISTER_1) },
  ]);
/** Loads bytes of a packet's header into consecutive registers. */
const loadHeader = (header: number, offset: number, length: number, word: number): Expression =>
  expression("payload", [
    { type: 1, value: encodeBe32(FIRST_WORD + word) },
    { type: 2, value: encodeBe32(header) },
    { type: 3, value: encodeBe32(offset) },
    { type: 4, value: encodeBe32(length) },
  ]);
const OPERATOR = { equal: 0, notEqual: 1 } as const;
const compare = (value: Buffer, operator: number = OPERATOR.equal): Expression =>
  expression("cmp", [
    { type: 1, value: encodeBe32(REGISTER_1) },
    { type: 2, value: encodeBe32(operator) },
    { type: 3, value: [{ type: 1, value }] },
  ]);
/** register = (register & mask) ^ xor */
const bitwise = (mask: Buffer, xor: Buffer): Expression =>
  expression("bitwise", [
    { type: 1, value: encodeBe32(REGISTER_1) },
    { type: 2, value: encodeBe32(REGISTER_1) },
    { type: 3, value: encodeBe32(mask.length) },
    { type: 4, value: [{ type: 1, value: mask }] },
    { type: 5, value: [{ type: 1, value: xor }] },
  ]);
const or = (bits: number): Expression => bitwise(encodeLe32(~bits), encodeLe32(bits));

/** `accept`: the rules behind this one are not looked at. */
export function acceptPacket(): readonly Expression[] {
  return [
    expression("immediate", [
      { type: 1, value: encodeBe32(VERDICT_REGISTER) },
      { type: 2, value: [{ type: 2, value: [{ type: 1, value: encodeBe32(NF_ACCEPT) }] }] },
    ]),
  ];
}

/** `meta nfproto …` */
export function isFamily(family: SetFamily): readonly Expression[] {
  return [loadMeta(META.nfproto), compare(Buffer.of(FAMILIES[family].nfproto))];
}
/** `meta l4proto …` */
export function isProtocol(protocol: number): readonly Expression[] {
  return [loadMeta(META.l4proto), compare(Buffer.of(protocol))];
}
/** `meta l4proto != …` */
export function isNotProtocol(protocol: number): readonly Expression[] {
  return [loadMeta(META.l4proto), compare(Buffer.of(protocol), OPERATOR.notEqual)];
}
/** An element of a set of peers is loaded: the peer's address and port, and ours. @param from of a packet from the peer, or to it */
export function loadPeer(family: SetFamily, from: "peer" | "us"): readonly Expression[] {
  const { source, destination, length } = FAMILIES[family];
  const words = length / REGISTER_BYTES;
  const [peer, own] = from === "peer" ? [0, PORT] : [PORT, 0];
  return [
    loadHeader(HEADER.network, from === "peer" ? source : destination, length, 0),
    loadHeader(HEADER.transport, peer, PORT, words),
    loadHeader(HEADER.transport, own, PORT, words + 1),
  ];
}
/** An element of a set of addresses is loaded: the peer's. @param from of a packet from the peer, or to it */
export function loadPeerAddress(family: SetFamily, from: "peer" | "us"): readonly Expression[] {
  const { source, destination, length } = FAMILIES[family];
  return [loadHeader(HEADER.network, from === "peer" ? source : destination, length, 0)];
}
/** `ip saddr NETWORK`: the packet is from this network. */
export function isFromNetwork(family: SetFamily, { address, length }: Prefix): readonly Expression[] {
  const bytes = ipBytes(address);
  const mask = Buffer.from(bytes.map((_, index) => 0xff & (0xff00 >> Math.min(8, Math.max(0, length - 8 * index)))));
  return [...loadPeerAddress(family, "peer"), bitwise(mask, Buffer.alloc(mask.length)), compare(bytes)];
}
/** `update @SET { … }`: what is loaded is there from now, for the set's time. */
export function updateSet(set: string): readonly Expression[] {
  return [
    expression("dynset", [
      { type: 1, value: encodeText(set) },
      { type: 3, value: encodeBe32(DYNSET_UPDATE) },
      { type: 4, value: encodeBe32(REGISTER_1) },
    ]),
  ];
}
/** `… @SET`: what is loaded is there. */
export function isInSet(set: string): readonly Expression[] {
  return [
    expression("lookup", [
      { type: 1, value: encodeText(set) },
      { type: 2, value: encodeBe32(REGISTER_1) },
    ]),
  ];
}
/** `meta mark set meta mark or BITS` */
export function addMark(bits: number): readonly Expression[] {
  return [loadMeta(META.mark), or(bits), setMeta(META.mark)];
}
