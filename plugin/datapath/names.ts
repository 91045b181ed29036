import { hashSha256 } from "./digest.ts";

/** Name prefix of the pairs' ends on the node: one nft wildcard matches all of them and no other link. */
export const NODE_LINK_PREFIX = "vethil";
/** Name of Interlay's link in the pod. */
export const POD_LINK = "veth0";

const GUARD_TABLE_PREFIX = "interlay-";

/** Builds the name of the nftables table (family netdev) that guards a pair. */
export function buildGuardTableName(nodeLink: string): string {
  return GUARD_TABLE_PREFIX + nodeLink;
}

/** Parses the name of the pair's node end from the name of its table; undefined for other tables. */
export function parseGuardTableName(table: string): string | undefined {
  const isOurs = table.startsWith(GUARD_TABLE_PREFIX + NODE_LINK_PREFIX);
  return isOurs ? table.slice(GUARD_TABLE_PREFIX.length) : undefined;
}

/** Builds the name of the pair's node end from the arguments alone; 15 characters, which is IFNAMSIZ - 1. */
export function buildNodeLinkName(containerId: string, ifname: string): string {
  return NODE_LINK_PREFIX + hashSha256(`${containerId}/${ifname}`).slice(0, 9);
}

/** Builds a locally administered unicast MAC that depends only on the arguments. */
export function buildStableMac(containerId: string, ifname: string, end: "pod" | "node"): string {
  const hex = hashSha256(`${containerId}/${ifname}/${end}`);
  return ["02", ...Array.from({ length: 5 }, (_, i) => hex.slice(2 * i, 2 * i + 2))].join(":");
}
