import { decodeTable, encodeTable, encodeTableDump, NFT_GET_TABLE, type NftFamily } from "../../netlink/nftables.ts";
import { NetlinkError, NetlinkSocket } from "../../netlink/socket.ts";

/**
 * Reports whether this node's nftables has a table. This takes one netlink message; `nft list tables` (1.0.6) first reads every rule
 * of all tables, kube-proxy's thousands too.
 */
export function hasTable(family: NftFamily, name: string): boolean {
  try {
    const socket = NetlinkSocket.open("netfilter");
    try {
      return socket.get(`table ${family} ${name}`, NFT_GET_TABLE, encodeTable(family, name)) !== undefined;
    } finally {
      socket.close();
    }
  } catch (error) {
    if (error instanceof NetlinkError) return false; // no such table, or no nftables
    throw error;
  }
}

/** Lists the tables of this node's nftables by netlink; empty if the kernel has no nftables. */
export function listTables(): readonly { readonly family: string; readonly name: string }[] {
  try {
    const socket = NetlinkSocket.open("netfilter");
    try {
      return socket.dump("tables", NFT_GET_TABLE, encodeTableDump()).map(({ payload }) => decodeTable(payload));
    } finally {
      socket.close();
    }
  } catch (error) {
    if (error instanceof NetlinkError) return [];
    throw error;
  }
}
