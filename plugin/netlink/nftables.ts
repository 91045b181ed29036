import { encodeBe32, DATATYPE, type Expression, FAMILIES, type SetFamily, REGISTER_BYTES } from "./nft-expression.ts";
import { type Attribute, decodeAttributes, encodeAttributes, encodeText, readText } from "./message.ts";
import type { BatchMessage } from "./socket.ts";

/**
 * nf_tables over nfnetlink: as much of it as a table with base chains, rules and sets of peers takes. linux/netfilter/nf_tables.h,
 * linux/netfilter/nfnetlink.h. Numbers in attributes are big-endian; what rules compare with is as in packets and registers.
 */

const SUBSYSTEM = 10;
const BATCH = { begin: 16, end: 17 } as const;
const type = (message: number): number => (SUBSYSTEM << 8) | message;
export const NFT_GET_TABLE = type(1);
export const NFT_GET_RULE = type(7);
export const NFT_GET_GENERATION = type(16);
const NFT = { newTable: type(0), deleteTable: type(2), newChain: type(3), newRule: type(6), newSet: type(9) } as const;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;

const NFPROTO_INET = 1;
/** As nft calls them. */
const FAMILY_NUMBER = { ip: 2, ip6: 10 } as const;
export type NftFamily = keyof typeof FAMILY_NUMBER;
const FAMILY_NAMES: Readonly<Record<number, string>> = {
  1: "inet",
  2: "ip",
  3: "arp",
  5: "netdev",
  7: "bridge",
  10: "ip6",
};
const NF_ACCEPT = 1;

export const NFT_HOOK = { output: 3, ingress: 5 } as const;
export const PRIORITY_MANGLE = -150;
/** NFT_SET_TIMEOUT and NFT_SET_EVAL: rules add to it, and what is not added again goes by itself. */
const SET_OF_RULES = 0x10 | 0x20;

function nfgenmsg(family: number, resource = 0): Buffer {
  return Buffer.of(family, 0, resource >> 8, resource & 0xff);
}

/** Peers, as rules add them. */
export interface PeerSet {
  readonly name: string;
  readonly family: SetFamily;
  /** What an element is: the peer's address and port and ours, or the peer's address alone. */
  readonly key: "ports" | "address";
  /** Milliseconds that an element stays after it was last updated. */
  readonly timeoutMs: number;
}

export interface BaseChain {
  readonly name: string;
  readonly type: "filter" | "route";
  readonly hook: number;
  /** Where it is hooked to one: at ingress, since Linux 5.10. What comes in by another costs nothing then. */
  readonly device?: string;
  readonly priority: number;
  readonly rules: readonly NftRule[];
}

export interface NftRule {
  readonly expressions: readonly Expression[];
  /** Printed by `nft list` behind the rule. */
  readonly comment: string;
}

export interface NftTransaction {
  readonly begin: BatchMessage;
  readonly changes: readonly BatchMessage[];
  readonly end: BatchMessage;
}

export interface NftTable {
  readonly sets: readonly PeerSet[];
  readonly chains: readonly BaseChain[];
}

/** A new table of family inet; EEXIST if there is one. */
export function createTable(name: string, table: NftTable): NftTransaction {
  return buildTransaction([
    buildTableMessage(NFT.newTable, name, NLM_F_CREATE | NLM_F_EXCL),
    ...buildContent(name, table),
  ]);
}

/** Replaces a table of family inet, whether it exists or not. */
export function replaceTable(name: string, table: NftTable): NftTransaction {
  return buildTransaction([
    ...buildRemoval(name),
    buildTableMessage(NFT.newTable, name, NLM_F_CREATE),
    ...buildContent(name, table),
  ]);
}

export function removeTable(name: string): NftTransaction {
  return buildTransaction(buildRemoval(name));
}

/** Creates the table before removing it: removing a missing table is an error. */
function buildRemoval(name: string): readonly BatchMessage[] {
  return [buildTableMessage(NFT.newTable, name, NLM_F_CREATE), buildTableMessage(NFT.deleteTable, name)];
}

function buildContent(name: string, { sets, chains }: NftTable): readonly BatchMessage[] {
  return [
    ...sets.map((set, index) => buildMessage(NFT.newSet, buildSetAttributes(name, set, index + 1), NLM_F_CREATE)),
    ...buildChainMessages(name, chains),
  ];
}

function buildTransaction(changes: readonly BatchMessage[]): NftTransaction {
  return {
    begin: { type: BATCH.begin, flags: 0, body: nfgenmsg(0, SUBSYSTEM) },
    changes,
    end: { type: BATCH.end, flags: 0, body: nfgenmsg(0, SUBSYSTEM) },
  };
}

function buildMessage(of: number, attributes: readonly Attribute[], flags = 0): BatchMessage {
  return { type: of, flags, body: Buffer.concat([nfgenmsg(NFPROTO_INET), encodeAttributes(attributes)]) };
}

function buildTableMessage(of: number, name: string, flags = 0): BatchMessage {
  return buildMessage(of, [{ type: 1, value: encodeText(name) }], flags);
}

/**
 * Without a size the kernel lets rules add 65,535 elements (nft_dynset_init) in a table that grows; with one it takes a
 * megabyte for them at once.
 * @param id of this transaction
 */
function buildSetAttributes(
  table: string,
  { name, family, key, timeoutMs }: PeerSet,
  id: number,
): readonly Attribute[] {
  const { length, datatype } = FAMILIES[family];
  const { bits, inet_service: port } = DATATYPE;
  const timeout = Buffer.alloc(2 * REGISTER_BYTES);
  timeout.writeBigUInt64BE(BigInt(timeoutMs));
  return [
    { type: 1, value: encodeText(table) },
    { type: 2, value: encodeText(name) },
    { type: 3, value: encodeBe32(SET_OF_RULES) },
    { type: 4, value: encodeBe32(key === "address" ? datatype : (((datatype << bits) | port) << bits) | port) },
    { type: 5, value: encodeBe32(key === "address" ? length : length + 2 * REGISTER_BYTES) },
    { type: 10, value: encodeBe32(id) },
    { type: 11, value: timeout },
  ];
}

function buildChainMessages(table: string, chains: readonly BaseChain[]): readonly BatchMessage[] {
  return chains.flatMap((chain) => [
    buildMessage(NFT.newChain, buildChainAttributes(table, chain), NLM_F_CREATE),
    ...chain.rules.map((rule) =>
      buildMessage(NFT.newRule, buildRuleAttributes(table, chain.name, rule), NLM_F_CREATE | NLM_F_APPEND),
    ),
  ]);
}

function buildChainAttributes(table: string, chain: BaseChain): readonly Attribute[] {
  return [
    { type: 1, value: encodeText(table) },
    { type: 3, value: encodeText(chain.name) },
    {
      type: 4,
      value: [
        { type: 1, value: encodeBe32(chain.hook) },
        { type: 2, value: encodeBe32(chain.priority) },
        ...(chain.device === undefined ? [] : [{ type: 3, value: encodeText(chain.device) }]),
      ],
    },
    { type: 5, value: encodeBe32(NF_ACCEPT) },
    { type: 7, value: encodeText(chain.type) },
  ];
}

function buildRuleAttributes(table: string, chain: string, { expressions, comment }: NftRule): readonly Attribute[] {
  return [
    { type: 1, value: encodeText(table) },
    { type: 2, value: encodeText(chain) },
    { type: 4, value: expressions },
    { type: USERDATA, value: encodeComment(comment) },
  ];
}

const USERDATA = 7;

/** libnftnl's own form (NFTNL_UDATA_RULE_COMMENT, length, text), so that nft prints it. */
function encodeComment(comment: string): Buffer {
  const value = encodeText(comment);
  return Buffer.concat([Buffer.of(0, value.length), value]);
}

/** Selects the rules of a table of family inet, for a dump. */
export function encodeRuleDump(table: string): Buffer {
  return Buffer.concat([nfgenmsg(NFPROTO_INET), encodeAttributes([{ type: 1, value: encodeText(table) }])]);
}

/** Names a table, to ask for it. */
export function encodeTable(family: NftFamily, name: string): Buffer {
  return Buffer.concat([nfgenmsg(FAMILY_NUMBER[family]), encodeAttributes([{ type: 1, value: encodeText(name) }])]);
}

/** Asks for every table of every family. */
export function encodeTableDump(): Buffer {
  return nfgenmsg(0);
}

/** Reads a table's family and name. */
export function decodeTable(payload: Buffer): { readonly family: string; readonly name: string } {
  const family = payload.readUInt8(0);
  const name = decodeAttributes(payload.subarray(4)).get(1);
  return { family: FAMILY_NAMES[family] ?? String(family), name: name === undefined ? "" : readText(name) };
}

/** Asks for the number of the namespace's ruleset: it changes after every transaction of any process. */
export function encodeGenerationRequest(): Buffer {
  return nfgenmsg(0);
}

/** NFTA_GEN_ID */
export function decodeGeneration(payload: Buffer): number | undefined {
  return decodeAttributes(payload.subarray(REGISTER_BYTES)).get(1)?.readUInt32BE(0);
}

/** Decodes a rule's comment from a dump; empty if it has none. */
export function decodeRuleComment(payload: Buffer): string {
  const data = decodeAttributes(payload.subarray(REGISTER_BYTES)).get(USERDATA);
  return data?.[0] === 0 ? data.toString("utf8", 2, 1 + (data[1] ?? 1)) : "";
}
