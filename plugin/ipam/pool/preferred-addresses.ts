import type { Ip } from "../../datapath/address.ts";

/**
 * Returns the addresses that a node should take before other nodes do, by rendezvous hashing: of the nodes that hold addresses of a
 * block, each free address is preferred by one. All nodes compute the same, and another node changes it for few addresses.
 *
 * @param nodes nodes that hold addresses of the block; if `node` is not one of them, the others do not know of it: no address
 */
export function listPreferredAddresses(free: readonly Ip[], node: string, nodes: ReadonlySet<string>): readonly Ip[] {
  if (!nodes.has(node)) return [];
  const own = hashText(node);
  const others = [...nodes].filter((name) => name !== node).map(hashText);
  return free.filter((ip) => {
    const address = hashText(ip);
    const rank = mixBits(own ^ address);
    return others.every((other) => mixBits(other ^ address) <= rank);
  });
}

/** FNV-1a, 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mixBits(hash);
}

/** The finalizer of MurmurHash3. */
function mixBits(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
