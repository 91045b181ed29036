import { decodeGeneration, encodeGenerationRequest, NFT_GET_GENERATION } from "../../netlink/nftables.ts";
import { NetlinkError, NetlinkSocket } from "../../netlink/socket.ts";

/**
 * Reads the generation of this node's nftables ruleset. Every transaction of any program changes it, iptables-nft's too;
 * counters do not. This takes one netlink message; a listing takes a process. Returns undefined if the kernel has no nftables
 * or does not answer.
 */
export function readNftGeneration(): number | undefined {
  try {
    const socket = NetlinkSocket.open("netfilter");
    try {
      const response = socket.get("generation of nftables", NFT_GET_GENERATION, encodeGenerationRequest());
      return response && decodeGeneration(response.payload);
    } finally {
      socket.close();
    }
  } catch (error) {
    if (error instanceof NetlinkError) return undefined;
    throw error;
  }
}
