import { type Attribute, decodeAttributes, encodeAttributes, text } from "./message.ts";
import type { BatchMessage } from "./socket.ts";

/**
 * nf_tables over nfnetlink: as much of it as a table with base chains and rules takes. linux/netfilter/nf_tables.h,
 * linux/netfilter/nfnetlink.h. Numbers in attributes are big-endian; what rules compare with is as in packets and registers.
 */

const SUBSYSTEM = 10;
const BATCH = { begin: 16, end: 17 } as const;
const type = (message: number): number => (SUBSYSTEM << 8) | message;
export const NFT_GET_RULE = type(7);
export const NFT_GET_GENERATION = type(16);
const NFT = { newTable: type(0), deleteTable: type(2), newChain: type(3), newRule: type(6) } as const;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;

const NFPROTO_INET = 1;
const NF_ACCEPT = 1;
const REGISTER_1 = 1;
const WORD = 4;
const IFNAMSIZ = 16;

export const HOOK = { prerouting: 0, output: 3 } as const;
export const PRIORITY_MANGLE = -150;
/** ip_conntrack_info.h: the bit of a connection's first packet in `ct state`. */
export const CT_STATE_NEW = 0x8;
const META = { mark: 3, iifname: 6 } as const;
const CT = { state: 0, direction: 1, mark: 3 } as const;
export const CT_DIRECTION_REPLY = 1;

function be32(value: number): Buffer {
  const bytes = Buffer.alloc(WORD);
  bytes.writeInt32BE(value | 0);
  return bytes;
}

function le32(value: number): Buffer {
  const bytes = Buffer.alloc(WORD);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function nfgenmsg(family: number, resource = 0): Buffer {
  return Buffer.of(family, 0, resource >> 8, resource & 0xff);
}

/** One expression of a rule: `nft --debug=netlink` prints a rule's in the same words. */
export type Expression = Attribute;

function expression(name: string, data: readonly Attribute[]): Expression {
  return {
    type: 1,
    value: [
      { type: 1, value: text(name) },
      { type: 2, value: data },
    ],
  };
}

const loadMeta = (key: number): Expression =>
  expression("meta", [
    { type: 2, value: be32(key) },
    { type: 1, value: be32(REGISTER_1) },
  ]);
const setMeta = (key: number): Expression =>
  expression("meta", [
    { type: 2, value: be32(key) },
    { type: 3, value: be32(REGISTER_1) },
  ]);
const loadCt = (key: number): Expression =>
  expression("ct", [
    { type: 2, value: be32(key) },
    { type: 1, value: be32(REGISTER_1) },
  ]);
const setCt = (key: number): Expression =>
  expression("ct", [
    { type: 2, value: be32(key) },
    { type: 4, value: be32(REGISTER_1) },
  ]);
const OPERATOR = { equal: 0, notEqual: 1 } as const;
const compare = (value: Buffer, operator: number = OPERATOR.equal): Expression =>
  expression("cmp", [
    { type: 1, value: be32(REGISTER_1) },
    { type: 2, value: be32(operator) },
    { type: 3, value: [{ type: 1, value }] },
  ]);
/** register = (register & mask) ^ xor */
const bitwise = (mask: number, xor: number): Expression =>
  expression("bitwise", [
    { type: 1, value: be32(REGISTER_1) },
    { type: 2, value: be32(REGISTER_1) },
    { type: 3, value: be32(WORD) },
    { type: 4, value: [{ type: 1, value: le32(mask) }] },
    { type: 5, value: [{ type: 1, value: le32(xor) }] },
  ]);
const or = (bits: number): Expression => bitwise(~bits, bits);

/** `iifname "…"` */
export function iifname(name: string): readonly Expression[] {
  const padded = Buffer.alloc(IFNAMSIZ);
  padded.write(name);
  return [loadMeta(META.iifname), compare(padded)];
}
/** `ct state new` and the like */
export function ctState(bits: number): readonly Expression[] {
  return [loadCt(CT.state), bitwise(bits, 0), compare(le32(0), OPERATOR.notEqual)];
}
/** `ct direction reply` */
export function ctDirection(direction: number): readonly Expression[] {
  return [loadCt(CT.direction), compare(Buffer.of(direction))];
}
/** `ct mark and BITS == BITS` */
export function ctMarkHas(bits: number): readonly Expression[] {
  return [loadCt(CT.mark), bitwise(bits, 0), compare(le32(bits))];
}
/** `ct mark set ct mark or BITS` */
export function addCtMark(bits: number): readonly Expression[] {
  return [loadCt(CT.mark), or(bits), setCt(CT.mark)];
}
/** `meta mark set meta mark or BITS` */
export function addMark(bits: number): readonly Expression[] {
  return [loadMeta(META.mark), or(bits), setMeta(META.mark)];
}

export interface BaseChain {
  readonly name: string;
  readonly type: "filter" | "route";
  readonly hook: number;
  readonly priority: number;
  readonly rules: readonly Rule[];
}

export interface Rule {
  readonly expressions: readonly Expression[];
  /** Printed by `nft list` behind the rule. */
  readonly comment: string;
}

export interface Transaction {
  readonly begin: BatchMessage;
  readonly changes: readonly BatchMessage[];
  readonly end: BatchMessage;
}

/** A new table of family inet; EEXIST if there is one. */
export function createTable(name: string, chains: readonly BaseChain[]): Transaction {
  return transaction([tableMessage(NFT.newTable, name, NLM_F_CREATE | NLM_F_EXCL), ...chainMessages(name, chains)]);
}

/** A table of family inet that is exactly this, whatever was there before; no chains, no table. */
export function replaceTable(name: string, chains: readonly BaseChain[]): Transaction {
  return transaction([
    tableMessage(NFT.newTable, name, NLM_F_CREATE),
    tableMessage(NFT.deleteTable, name),
    ...(chains.length === 0 ? [] : [tableMessage(NFT.newTable, name, NLM_F_CREATE)]),
    ...chainMessages(name, chains),
  ]);
}

function transaction(changes: readonly BatchMessage[]): Transaction {
  return {
    begin: { type: BATCH.begin, flags: 0, body: nfgenmsg(0, SUBSYSTEM) },
    changes,
    end: { type: BATCH.end, flags: 0, body: nfgenmsg(0, SUBSYSTEM) },
  };
}

function message(of: number, attributes: readonly Attribute[], flags = 0): BatchMessage {
  return { type: of, flags, body: Buffer.concat([nfgenmsg(NFPROTO_INET), encodeAttributes(attributes)]) };
}

function tableMessage(of: number, name: string, flags = 0): BatchMessage {
  return message(of, [{ type: 1, value: text(name) }], flags);
}

function chainMessages(table: string, chains: readonly BaseChain[]): readonly BatchMessage[] {
  return chains.flatMap((chain) => [
    message(NFT.newChain, chainAttributes(table, chain), NLM_F_CREATE),
    ...chain.rules.map((rule) =>
      message(NFT.newRule, ruleAttributes(table, chain.name, rule), NLM_F_CREATE | NLM_F_APPEND),
    ),
  ]);
}

function chainAttributes(table: string, chain: BaseChain): readonly Attribute[] {
  return [
    { type: 1, value: text(table) },
    { type: 3, value: text(chain.name) },
    {
      type: 4,
      value: [
        { type: 1, value: be32(chain.hook) },
        { type: 2, value: be32(chain.priority) },
      ],
    },
    { type: 5, value: be32(NF_ACCEPT) },
    { type: 7, value: text(chain.type) },
  ];
}

function ruleAttributes(table: string, chain: string, { expressions, comment }: Rule): readonly Attribute[] {
  return [
    { type: 1, value: text(table) },
    { type: 2, value: text(chain) },
    { type: 4, value: expressions },
    { type: USERDATA, value: commentData(comment) },
  ];
}

const USERDATA = 7;

/** libnftnl's own form (NFTNL_UDATA_RULE_COMMENT, length, text), so that nft prints it. */
function commentData(comment: string): Buffer {
  const value = text(comment);
  return Buffer.concat([Buffer.of(0, value.length), value]);
}

/** Selects the rules of a table of family inet, for a dump. */
export function encodeRulesOf(table: string): Buffer {
  return Buffer.concat([nfgenmsg(NFPROTO_INET), encodeAttributes([{ type: 1, value: text(table) }])]);
}

/** Asks for the number of the namespace's ruleset: another after every transaction, whoever's. */
export function encodeGenerationOf(): Buffer {
  return nfgenmsg(0);
}

/** NFTA_GEN_ID */
export function decodeGeneration(payload: Buffer): number | undefined {
  return decodeAttributes(payload.subarray(WORD)).get(1)?.readUInt32BE(0);
}

/** What a dump says: a rule's comment, empty if it has none. */
export function decodeRuleComment(payload: Buffer): string {
  const data = decodeAttributes(payload.subarray(WORD)).get(USERDATA);
  return data?.[0] === 0 ? data.toString("utf8", 2, 1 + (data[1] ?? 1)) : "";
}
