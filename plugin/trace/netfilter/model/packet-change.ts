import type { Packet } from "../../packet.ts";
import { CONTINUE, type Result } from "./ruleset.ts";
import { formatMark } from "./translation-text.ts";
import { hasConntrackEntry } from "./conntrack-entry.ts";

/** Sets the packet's mark, an unsigned number of 32 bits. */
export function setMark(packet: Packet, mark: number): Result {
  return { kind: "change", packet: { ...packet, mark: mark >>> 0 }, effect: `mark ${formatMark(mark >>> 0)}` };
}

/** Sets the mark of the packet's connection; a packet without conntrack entry has none. */
export function setConnmark(packet: Packet, connmark: number): Result {
  if (!hasConntrackEntry(packet)) return CONTINUE;
  const effect = `connmark ${formatMark(connmark >>> 0)}`;
  return { kind: "change", packet: { ...packet, connmark: connmark >>> 0 }, effect };
}

/** Exempts a packet from conntrack. The kernel does nothing if the packet already has an entry. */
export function exemptFromConntrack(packet: Packet): Result {
  if (hasConntrackEntry(packet) || packet.conntrackState === "untracked") return CONTINUE;
  return { kind: "change", packet: { ...packet, conntrackState: "untracked" }, effect: "notrack" };
}

/** Sets the conntrack zone of a packet that conntrack has not seen yet. */
export function setZone(packet: Packet, zone: number): Result {
  if (packet.conntrackState !== undefined) return CONTINUE;
  return { kind: "change", packet: { ...packet, conntrackZone: zone }, effect: `conntrack zone ${zone}` };
}

/** Sets the TTL or hop limit. */
export function setTtl(packet: Packet, ttl: number): Result {
  const limited = Math.min(255, Math.max(0, ttl));
  return { kind: "change", packet: { ...packet, ttl: limited }, effect: `ttl ${limited}` };
}
