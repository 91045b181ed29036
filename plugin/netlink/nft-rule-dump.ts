import { encodeText, readTerminatedText, decodeAttributeList, decodeAttributes, encodeAttributes } from "./message.ts";
import { NFTA_COUNTER, NFTA_EXPRESSION, NFTA_RULE } from "./nft-attributes.ts";
import { encodeHeader, type NftTableKey, TABLE_FAMILY } from "./nftables.ts";

/** Bytes of struct nfgenmsg. */
const HEADER_BYTES = 4;

/** A rule of a dump. */
export interface DumpedRule {
  readonly table: string;
  /** Empty if the rule has none. */
  readonly comment: string;
  /** Packets that the rule's counter has counted; undefined if it has no counter. */
  readonly packets?: number;
}

/** Encodes the request for a dump of the rules of one table, or of all tables of a family. */
export function encodeRulesRequest({ family, name }: Pick<NftTableKey, "family"> & Partial<NftTableKey>): Buffer {
  const table = name === undefined ? [] : [{ type: NFTA_RULE.table, value: encodeText(name) }];
  return Buffer.concat([encodeHeader(TABLE_FAMILY[family]), encodeAttributes(table)]);
}

/** Decodes a message of the dump. */
export function decodeDumpedRule(payload: Buffer): DumpedRule {
  const attributes = decodeAttributes(payload.subarray(HEADER_BYTES));
  const table = attributes.get(NFTA_RULE.table);
  const packets = readCounter(attributes.get(NFTA_RULE.expressions));
  return {
    table: table === undefined ? "" : readTerminatedText(table),
    comment: readComment(attributes.get(NFTA_RULE.userdata)),
    ...(packets === undefined ? {} : { packets }),
  };
}

/** Decodes only the comment of a message of the dump: the expressions are most of it. */
export function decodeRuleComment(payload: Buffer): string {
  return readComment(decodeAttributes(payload.subarray(HEADER_BYTES)).get(NFTA_RULE.userdata));
}

/** Reads libnftnl's form of a comment (NFTNL_UDATA_RULE_COMMENT, length, text). */
function readComment(userdata: Buffer | undefined): string {
  return userdata?.[0] === 0 ? userdata.toString("utf8", 2, 1 + (userdata[1] ?? 1)) : "";
}

function readCounter(expressions: Buffer | undefined): number | undefined {
  for (const element of decodeAttributeList(expressions ?? Buffer.alloc(0))) {
    const expression = decodeAttributes(element);
    const name = expression.get(NFTA_EXPRESSION.name);
    if (name === undefined || readTerminatedText(name) !== "counter") continue;
    const packets = decodeAttributes(expression.get(NFTA_EXPRESSION.data) ?? Buffer.alloc(0)).get(NFTA_COUNTER.packets);
    return packets === undefined ? undefined : Number(packets.readBigUInt64BE());
  }
  return undefined;
}
