import type { Packet } from "../../packet.ts";

/** Reports whether conntrack attached an entry to the packet: not before priority -200, and not if INVALID or untracked. */
export function hasConntrackEntry({ conntrackState }: Packet): boolean {
  return conntrackState === "new" || conntrackState === "established" || conntrackState === "related";
}
