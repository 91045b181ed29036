import { decodeGeneration, encodeGenerationRequest, NFT_GET_GENERATION } from "../../netlink/nftables.ts";
import { NetlinkError, NetlinkSocket } from "../../netlink/socket.ts";

/**
 * The number of this node's nftables ruleset: another after every transaction, whoever's, iptables-nft's too; counters do
 * not change it. Asking takes a message, where listing takes a process. Undefined: the kernel has no nftables, or does not
 * say.
 */
export function nftGeneration(): number | undefined {
  try {
    const socket = NetlinkSocket.open("netfilter");
    try {
      const answer = socket.get("generation of nftables", NFT_GET_GENERATION, encodeGenerationRequest());
      return answer && decodeGeneration(answer.payload);
    } finally {
      socket.close();
    }
  } catch (error) {
    if (error instanceof NetlinkError) return undefined;
    throw error;
  }
}
