import { encodeIp, type Prefix } from "./ip.ts";
import { type Attribute, encodeText } from "./message.ts";
import {
  NFTA_BITWISE,
  NFTA_COMPARE,
  NFTA_DATA,
  NFTA_DYNSET,
  NFTA_EXPRESSION,
  NFTA_FIB,
  NFTA_IMMEDIATE,
  NFTA_LIST,
  NFTA_LOOKUP,
  NFTA_META,
  NFTA_PAYLOAD,
  NFTA_VERDICT,
} from "./nft-attributes.ts";

/**
 * Expressions of nf_tables rules (linux/netfilter/nf_tables.h), as many as Interlay uses. Above each function is what
 * `nft --debug=netlink` prints for it. Numbers in attributes are big-endian; values that rules compare are in the byte order of packets
 * and registers.
 */

/** Verdicts (linux/netfilter.h). */
const VERDICT = { drop: 0, accept: 1 } as const;
const VERDICT_REGISTER = 0;
const REGISTER_1 = 1;
/** NFT_REG32_00, the first word of register 1: the parts of a concatenated key are in consecutive words. */
const FIRST_WORD = 8;
export const REGISTER_BYTES = 4;

const META = { protocol: 1, mark: 3, nfproto: 15, l4proto: 16 } as const;
/** nf_tables.h: enum nft_payload_bases */
const HEADER = { network: 1, transport: 2 } as const;
/** Numbers of nft's data types, by which it prints set elements. `bits`: width of one type in a concatenation. */
export const DATATYPE = { ipv4_addr: 7, ipv6_addr: 8, inet_service: 13, bits: 6 } as const;

/** Protocol number of ICMPv6 (RFC 4443). */
export const ICMPV6 = 58;
const DYNSET_UPDATE = 1;
/** Bytes of a port in a transport header. */
const PORT_BYTES = 2;
export type SetFamily = "ipv4" | "ipv6";
/** Offsets and length of the addresses in a packet's header (RFC 791, RFC 8200), in bytes. */
export const FAMILIES = {
  ipv4: { nfproto: 2, etherType: 0x0800, source: 12, destination: 16, length: 4, datatype: DATATYPE.ipv4_addr },
  ipv6: { nfproto: 10, etherType: 0x86dd, source: 8, destination: 24, length: 16, datatype: DATATYPE.ipv6_addr },
} as const;

/** Encodes 32 bits in network byte order, as numbers in nf_tables attributes are. */
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

/** One expression of a rule. */
export type Expression = Attribute;

function buildExpression(name: string, data: readonly Attribute[]): Expression {
  return {
    type: NFTA_LIST.element,
    value: [
      { type: NFTA_EXPRESSION.name, value: encodeText(name) },
      { type: NFTA_EXPRESSION.data, value: data },
    ],
  };
}

/** `[ meta load KEY => reg 1 ]` */
function loadMeta(key: number): Expression {
  return buildExpression("meta", [
    { type: NFTA_META.key, value: encodeBe32(key) },
    { type: NFTA_META.destinationRegister, value: encodeBe32(REGISTER_1) },
  ]);
}

/** `[ meta set KEY with reg 1 ]` */
function setMeta(key: number): Expression {
  return buildExpression("meta", [
    { type: NFTA_META.key, value: encodeBe32(key) },
    { type: NFTA_META.sourceRegister, value: encodeBe32(REGISTER_1) },
  ]);
}

/** `[ payload load LENGTHb @ HEADER header + OFFSET => reg WORD ]` */
function loadHeader(header: number, offset: number, length: number, word: number): Expression {
  return buildExpression("payload", [
    { type: NFTA_PAYLOAD.register, value: encodeBe32(FIRST_WORD + word) },
    { type: NFTA_PAYLOAD.base, value: encodeBe32(header) },
    { type: NFTA_PAYLOAD.offset, value: encodeBe32(offset) },
    { type: NFTA_PAYLOAD.length, value: encodeBe32(length) },
  ]);
}

/** enum nft_cmp_ops */
const OPERATOR = { equal: 0, notEqual: 1 } as const;

/** `[ cmp eq reg 1 VALUE ]`, or `neq` */
function encodeComparison(value: Buffer, operator: number = OPERATOR.equal): Expression {
  return buildExpression("cmp", [
    { type: NFTA_COMPARE.register, value: encodeBe32(REGISTER_1) },
    { type: NFTA_COMPARE.operator, value: encodeBe32(operator) },
    { type: NFTA_COMPARE.data, value: [{ type: NFTA_DATA.value, value }] },
  ]);
}

/** `[ bitwise reg 1 = ( reg 1 & MASK ) ^ XOR ]` */
function changeBits(mask: Buffer, xor: Buffer): Expression {
  return buildExpression("bitwise", [
    { type: NFTA_BITWISE.sourceRegister, value: encodeBe32(REGISTER_1) },
    { type: NFTA_BITWISE.destinationRegister, value: encodeBe32(REGISTER_1) },
    { type: NFTA_BITWISE.length, value: encodeBe32(mask.length) },
    { type: NFTA_BITWISE.mask, value: [{ type: NFTA_DATA.value, value: mask }] },
    { type: NFTA_BITWISE.xor, value: [{ type: NFTA_DATA.value, value: xor }] },
  ]);
}

/** `accept`: `[ immediate reg 0 accept ]` */
export const acceptPacket = (): readonly Expression[] => buildVerdict(VERDICT.accept);

/** `counter drop`: `[ counter pkts 0 bytes 0 ]`, `[ immediate reg 0 drop ]` */
export const dropPacket = (): readonly Expression[] => [buildExpression("counter", []), ...buildVerdict(VERDICT.drop)];

function buildVerdict(code: number): readonly Expression[] {
  const verdict = [{ type: NFTA_VERDICT.code, value: encodeBe32(code) }];
  return [
    buildExpression("immediate", [
      { type: NFTA_IMMEDIATE.register, value: encodeBe32(VERDICT_REGISTER) },
      { type: NFTA_IMMEDIATE.data, value: [{ type: NFTA_DATA.verdict, value: verdict }] },
    ]),
  ];
}

/** `meta protocol ip`, or `ip6`: tables of the family netdev see frames. `[ meta load protocol => reg 1 ]` */
export function hasEtherType(family: SetFamily): readonly Expression[] {
  const value = Buffer.alloc(2);
  value.writeUInt16BE(FAMILIES[family].etherType);
  return [loadMeta(META.protocol), encodeComparison(value)];
}

/** nf_tables.h: enum nft_fib_flags and NFT_FIB_RESULT_OIF */
const FIB = { source: 1, inputLink: 8, present: 32, resultLink: 1 } as const;

/** `fib saddr . iif oif missing`: the route to the source is not by the link. `[ fib saddr . iif oif present => reg 1 ]` */
export function hasForeignSource(): readonly Expression[] {
  return [
    buildExpression("fib", [
      { type: NFTA_FIB.register, value: encodeBe32(REGISTER_1) },
      { type: NFTA_FIB.result, value: encodeBe32(FIB.resultLink) },
      { type: NFTA_FIB.flags, value: encodeBe32(FIB.source | FIB.inputLink | FIB.present) },
    ]),
    encodeComparison(encodeBe32(0)),
  ];
}

/** `meta nfproto FAMILY` */
export function isFamily(family: SetFamily): readonly Expression[] {
  return [loadMeta(META.nfproto), encodeComparison(Buffer.of(FAMILIES[family].nfproto))];
}

/** `meta l4proto PROTOCOL` */
export function isProtocol(protocol: number): readonly Expression[] {
  return [loadMeta(META.l4proto), encodeComparison(Buffer.of(protocol))];
}

/** `meta l4proto != PROTOCOL` */
export function isNotProtocol(protocol: number): readonly Expression[] {
  return [loadMeta(META.l4proto), encodeComparison(Buffer.of(protocol), OPERATOR.notEqual)];
}

/** RFC 4443, section 3.2. */
const PACKET_TOO_BIG = 2;

/** `icmpv6 type packet-too-big` */
export function isPacketTooBig(): readonly Expression[] {
  return [...isProtocol(ICMPV6), loadHeader(HEADER.transport, 0, 1, 0), encodeComparison(Buffer.of(PACKET_TOO_BIG))];
}

/**
 * Loads an element of a set of peers. From the peer: `ip saddr . th sport . th dport`; to the peer: `ip daddr . th dport . th sport`.
 *
 * @param sender who sends the packet
 */
export function loadPeer(family: SetFamily, sender: "peer" | "us"): readonly Expression[] {
  const words = FAMILIES[family].length / REGISTER_BYTES;
  const [peerOffset, ownOffset] = sender === "peer" ? [0, PORT_BYTES] : [PORT_BYTES, 0];
  return [
    ...loadPeerAddress(family, sender),
    loadHeader(HEADER.transport, peerOffset, PORT_BYTES, words),
    loadHeader(HEADER.transport, ownOffset, PORT_BYTES, words + 1),
  ];
}

/** Loads the peer's address: `ip saddr` of a packet from the peer, `ip daddr` of one to it. */
export function loadPeerAddress(family: SetFamily, sender: "peer" | "us"): readonly Expression[] {
  const { source, destination, length } = FAMILIES[family];
  return [loadHeader(HEADER.network, sender === "peer" ? source : destination, length, 0)];
}

/** `ip saddr NETWORK` */
export function isFromNetwork(family: SetFamily, { address, length }: Prefix): readonly Expression[] {
  const bytes = encodeIp(address);
  const mask = Buffer.from(bytes.map((_, index) => 0xff & (0xff00 >> Math.min(8, Math.max(0, length - 8 * index)))));
  return [...loadPeerAddress(family, "peer"), changeBits(mask, Buffer.alloc(mask.length)), encodeComparison(bytes)];
}

/** `update @SET { KEY }`: adds the loaded key, or renews its timeout. `[ dynset update reg_key 1 set SET ]` */
export function updateSet(set: string): readonly Expression[] {
  return [
    buildExpression("dynset", [
      { type: NFTA_DYNSET.set, value: encodeText(set) },
      { type: NFTA_DYNSET.operation, value: encodeBe32(DYNSET_UPDATE) },
      { type: NFTA_DYNSET.keyRegister, value: encodeBe32(REGISTER_1) },
    ]),
  ];
}

/** `KEY @SET`: the set contains the loaded key. `[ lookup reg 1 set SET ]` */
export function isInSet(set: string): readonly Expression[] {
  return [
    buildExpression("lookup", [
      { type: NFTA_LOOKUP.set, value: encodeText(set) },
      { type: NFTA_LOOKUP.register, value: encodeBe32(REGISTER_1) },
    ]),
  ];
}

/** `meta mark set meta mark and not BITS` */
export function clearMark(bits: number): readonly Expression[] {
  return [loadMeta(META.mark), changeBits(encodeLe32(~bits), encodeLe32(0)), setMeta(META.mark)];
}

/** `meta mark set meta mark or BITS` */
export function addMark(bits: number): readonly Expression[] {
  return [loadMeta(META.mark), changeBits(encodeLe32(~bits), encodeLe32(bits)), setMeta(META.mark)];
}
