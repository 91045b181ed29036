import { execFile } from "node:child_process";
import type { Socket } from "node:net";
import { promisify } from "node:util";

/** A segment that is lost alone is sent again after 200 ms at the earliest (TCP_RTO_MIN), with a margin for timers. */
const MIN_RETRANSMISSION_MS = 150;

/**
 * Reports whether a packet of the request may have been lost. Large payloads are left out: path MTU discovery (RFC 1191, RFC 8201)
 * and TCP's congestion control send packets again by design.
 */
export function mayHaveLostPacket(elapsedMs: number, bytes: number): boolean {
  return bytes === 0 && elapsedMs >= MIN_RETRANSMISSION_MS;
}

/**
 * Counts the segments that this host has sent again in a connection that is still open.
 * @returns undefined if `ss` is missing or does not list the connection
 */
export async function countRetransmissions({ localPort, remotePort }: Socket): Promise<number | undefined> {
  if (localPort === undefined || remotePort === undefined) return undefined;
  try {
    const filter = ["sport", "=", `:${localPort}`, "and", "dport", "=", `:${remotePort}`];
    const { stdout } = await promisify(execFile)("ss", ["--no-header", "--tcp", "--info", "--numeric", ...filter]);
    return parseRetransmissions(stdout);
  } catch {
    return undefined;
  }
}

/** Parses `ss --tcp --info` of one connection: `retrans:NOW/TOTAL` is missing while nothing was sent again. */
export function parseRetransmissions(listing: string): number | undefined {
  if (listing.trim() === "") return undefined;
  return Number(/\bretrans:\d+\/(\d+)/.exec(listing)?.[1] ?? 0);
}
