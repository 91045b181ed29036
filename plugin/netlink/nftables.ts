import { encodeBe32, DATATYPE, type Expression, FAMILIES, type SetFamily, REGISTER_BYTES } from "./nft-expression.ts";
import { NFTA_CHAIN, NFTA_GENERATION, NFTA_HOOK, NFTA_RULE, NFTA_SET, NFTA_TABLE } from "./nft-attributes.ts";
import { type Attribute, decodeAttributes, encodeAttributes, encodeText, readTerminatedText } from "./message.ts";
import type { BatchMessage } from "./socket.ts";

/**
 * nf_tables over nfnetlink: tables with base chains, rules and sets of peers (linux/netfilter/nf_tables.h, linux/netfilter/nfnetlink.h).
 * Numbers in attributes are big-endian.
 */

const SUBSYSTEM = 10;
const BATCH = { begin: 16, end: 17 } as const;
const toMessageType = (message: number): number => (SUBSYSTEM << 8) | message;
export const NFT_GET_TABLE = toMessageType(1);
export const NFT_GET_RULE = toMessageType(7);
export const NFT_GET_GENERATION = toMessageType(16);
const NFT = {
  newTable: toMessageType(0),
  deleteTable: toMessageType(2),
  newChain: toMessageType(3),
  newRule: toMessageType(6),
  newSet: toMessageType(9),
} as const;
const NLM_F_EXCL = 0x200;
const NLM_F_CREATE = 0x400;
const NLM_F_APPEND = 0x800;

/** Families of the tables that Interlay makes. */
export const TABLE_FAMILY = { inet: 1, netdev: 5 } as const;
/** Family names of nft. */
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

/** The ingress hook has another number in the family netdev (NF_NETDEV_INGRESS) than in inet (NF_INET_INGRESS). */
export const NFT_HOOK = { output: 3, ingress: { inet: 5, netdev: 0 } } as const;
export const PRIORITY_MANGLE = -150;
/** NFT_SET_TIMEOUT | NFT_SET_EVAL: rules add elements, which expire. */
const SET_OF_RULES = 0x10 | 0x20;

/** Encodes the header of every nfnetlink message (struct nfgenmsg). */
export function encodeHeader(family: number, resource = 0): Buffer {
  return Buffer.of(family, 0, resource >> 8, resource & 0xff);
}

/** A set of peers, to which rules add elements. */
interface PeerSet {
  readonly name: string;
  readonly family: SetFamily;
  /** Key of an element: the peer's address and port and our port, or only the peer's address. */
  readonly key: "ports" | "address";
  /** Milliseconds after its last update until an element expires. */
  readonly timeoutMs: number;
}

interface BaseChain {
  readonly name: string;
  readonly type: "filter" | "route";
  readonly hook: number;
  /** Device of an ingress chain (Linux 5.10): packets of other devices do not pass it. */
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

/** Names a table. */
export interface NftTableKey {
  readonly family: keyof typeof TABLE_FAMILY;
  readonly name: string;
}

export interface NftTable extends NftTableKey {
  readonly sets: readonly PeerSet[];
  readonly chains: readonly BaseChain[];
}

/** Builds the transaction that creates a table; the kernel refuses it with EEXIST if the table exists. */
export function createNftTable(table: NftTable): NftTransaction {
  return buildTransaction([buildTableMessage(NFT.newTable, table, NLM_F_CREATE | NLM_F_EXCL), ...buildContent(table)]);
}

/** Builds the transaction that replaces a table, whether it exists or not. */
export function replaceTable(table: NftTable): NftTransaction {
  return buildTransaction([
    ...buildRemoval(table),
    buildTableMessage(NFT.newTable, table, NLM_F_CREATE),
    ...buildContent(table),
  ]);
}

/** Builds the transaction that removes a table, whether it exists or not. */
export function removeTable(table: NftTableKey): NftTransaction {
  return buildTransaction(buildRemoval(table));
}

/** Creates the table before removing it: removing a missing table is an error. */
function buildRemoval(table: NftTableKey): readonly BatchMessage[] {
  return [buildTableMessage(NFT.newTable, table, NLM_F_CREATE), buildTableMessage(NFT.deleteTable, table)];
}

function buildContent(table: NftTable): readonly BatchMessage[] {
  return [
    ...table.sets.map((set, index) =>
      buildMessage(table, NFT.newSet, buildSetAttributes(table.name, set, index + 1), NLM_F_CREATE),
    ),
    ...table.chains.flatMap((chain) => buildChainMessages(table, chain)),
  ];
}

function buildTransaction(changes: readonly BatchMessage[]): NftTransaction {
  return {
    begin: { type: BATCH.begin, flags: 0, body: encodeHeader(0, SUBSYSTEM) },
    changes,
    end: { type: BATCH.end, flags: 0, body: encodeHeader(0, SUBSYSTEM) },
  };
}

function buildMessage(
  { family }: NftTableKey,
  type: number,
  attributes: readonly Attribute[],
  flags: number,
): BatchMessage {
  return { type: type, flags, body: Buffer.concat([encodeHeader(TABLE_FAMILY[family]), encodeAttributes(attributes)]) };
}

function buildTableMessage(type: number, table: NftTableKey, flags = 0): BatchMessage {
  return buildMessage(table, type, [{ type: NFTA_TABLE.name, value: encodeText(table.name) }], flags);
}

/**
 * Builds a set without a size: rules may add 65,535 elements (nft_dynset_init) and the hash table grows. With a size the kernel would
 * allocate a megabyte at once.
 *
 * @param id number of the set in this transaction
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
    { type: NFTA_SET.table, value: encodeText(table) },
    { type: NFTA_SET.name, value: encodeText(name) },
    { type: NFTA_SET.flags, value: encodeBe32(SET_OF_RULES) },
    {
      type: NFTA_SET.keyType,
      value: encodeBe32(key === "address" ? datatype : (((datatype << bits) | port) << bits) | port),
    },
    { type: NFTA_SET.keyLength, value: encodeBe32(key === "address" ? length : length + 2 * REGISTER_BYTES) },
    { type: NFTA_SET.id, value: encodeBe32(id) },
    { type: NFTA_SET.timeout, value: timeout },
  ];
}

function buildChainMessages(table: NftTable, chain: BaseChain): readonly BatchMessage[] {
  return [
    buildMessage(table, NFT.newChain, buildChainAttributes(table.name, chain), NLM_F_CREATE),
    ...chain.rules.map((rule) =>
      buildMessage(table, NFT.newRule, buildRuleAttributes(table.name, chain.name, rule), NLM_F_CREATE | NLM_F_APPEND),
    ),
  ];
}

function buildChainAttributes(table: string, chain: BaseChain): readonly Attribute[] {
  return [
    { type: NFTA_CHAIN.table, value: encodeText(table) },
    { type: NFTA_CHAIN.name, value: encodeText(chain.name) },
    {
      type: NFTA_CHAIN.hook,
      value: [
        { type: NFTA_HOOK.number, value: encodeBe32(chain.hook) },
        { type: NFTA_HOOK.priority, value: encodeBe32(chain.priority) },
        ...(chain.device === undefined ? [] : [{ type: NFTA_HOOK.device, value: encodeText(chain.device) }]),
      ],
    },
    { type: NFTA_CHAIN.policy, value: encodeBe32(NF_ACCEPT) },
    { type: NFTA_CHAIN.type, value: encodeText(chain.type) },
  ];
}

function buildRuleAttributes(table: string, chain: string, { expressions, comment }: NftRule): readonly Attribute[] {
  return [
    { type: NFTA_RULE.table, value: encodeText(table) },
    { type: NFTA_RULE.chain, value: encodeText(chain) },
    { type: NFTA_RULE.expressions, value: expressions },
    { type: NFTA_RULE.userdata, value: encodeComment(comment) },
  ];
}

/** libnftnl's own form (NFTNL_UDATA_RULE_COMMENT, length, text), so that nft prints it. */
function encodeComment(comment: string): Buffer {
  const value = encodeText(comment);
  return Buffer.concat([Buffer.of(0, value.length), value]);
}

/** Encodes the request for one table. */
export function encodeTable(family: NftFamily, name: string): Buffer {
  return Buffer.concat([
    encodeHeader(FAMILY_NUMBER[family]),
    encodeAttributes([{ type: NFTA_TABLE.name, value: encodeText(name) }]),
  ]);
}

/** Encodes the request for a dump of the tables of all families. */
export function encodeTableDump(): Buffer {
  return encodeHeader(0);
}

/** Reads a table's family and name. */
export function decodeTable(payload: Buffer): { readonly family: string; readonly name: string } {
  const family = payload.readUInt8(0);
  const name = decodeAttributes(payload.subarray(REGISTER_BYTES)).get(NFTA_TABLE.name);
  return { family: FAMILY_NAMES[family] ?? String(family), name: name === undefined ? "" : readTerminatedText(name) };
}

/** Encodes the request for the generation of the namespace's ruleset, which every transaction changes. */
export function encodeGenerationRequest(): Buffer {
  return encodeHeader(0);
}

/** Decodes the generation number. */
export function decodeGeneration(payload: Buffer): number | undefined {
  return decodeAttributes(payload.subarray(REGISTER_BYTES)).get(NFTA_GENERATION.id)?.readUInt32BE(0);
}
