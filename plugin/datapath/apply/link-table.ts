import { decodeRuleComment, encodeRulesRequest } from "../../netlink/nft-rule-dump.ts";
import {
  createNftTable,
  NFT_GET_RULE,
  type NftTable,
  type NftTableKey,
  type NftTransaction,
  removeTable,
  replaceTable,
} from "../../netlink/nftables.ts";
import { NetlinkError } from "../../netlink/socket.ts";
import type { NetworkNamespace } from "../kernel.ts";

/** A table that belongs to one link, with the encoded transaction that creates it: encoding is half of the cost. */
export interface CompiledTable {
  readonly table: NftTable;
  readonly creation: NftTransaction;
}

/** Encodes the transaction that creates a table. */
export function compileTable(table: NftTable): CompiledTable {
  return { table, creation: createNftTable(table) };
}

/**
 * Writes a table in one transaction. First tries to create it, because it does not exist in a starting pod, and a transaction
 * that removes a table makes its socket slow to close.
 */
export function applyLinkTable({ table, creation }: CompiledTable, where: NetworkNamespace): void {
  try {
    sendTransaction(table, creation, where);
  } catch (error) {
    if (!(error instanceof NetlinkError && error.code === "EEXIST")) throw error;
    sendTransaction(table, replaceTable(table), where);
  }
}

/** Removes a table. Succeeds if it does not exist. */
export function removeLinkTable(table: NftTableKey, where: NetworkNamespace): void {
  sendTransaction(table, removeTable(table), where);
}

/**
 * Reports whether the kernel has the rules of a table, by their comments.
 *
 * @param device the link of the ingress chain. Before Linux 6.16 the kernel removes the chain with its link; later it keeps the
 *   chain, and attaches it to the next link of that name.
 */
export function hasLinkTable(table: NftTable, device: string, where: NetworkNamespace): boolean {
  if (where.findLink(device) === undefined) return false;
  try {
    const existing = where.netfilter
      .dump("rules", NFT_GET_RULE, encodeRulesRequest(table))
      .map(({ payload }) => decodeRuleComment(payload))
      .sort();
    const desired = table.chains.flatMap(({ rules }) => rules.map(({ comment }) => comment)).sort();
    return desired.join("\n") === existing.join("\n");
  } catch (error) {
    if (error instanceof NetlinkError && error.code === "ENOENT") return false;
    throw error;
  }
}

function sendTransaction(
  { family, name }: NftTableKey,
  { begin, changes, end }: NftTransaction,
  where: NetworkNamespace,
): void {
  where.netfilter.batch(`table ${family} ${name}`, begin, changes, end);
}
