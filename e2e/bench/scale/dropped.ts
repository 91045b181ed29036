import { readFile } from "node:fs/promises";

/** What this computer's kernel let fall, of all namespaces together; only ever grows. */
interface DroppedCounters {
  /** Packets for which a processor's queue (net.core.netdev_max_backlog) had no room. */
  readonly backlog: number;
  /** Neighbours for which the one table of all namespaces (net.ipv4.neigh.default.gc_thresh3) had none. */
  readonly neighbours: number;
}

export async function readDropped(): Promise<DroppedCounters> {
  const [softnet, neighbours] = await Promise.all([
    readFile("/proc/net/softnet_stat", "utf8"),
    readFile("/proc/net/stat/arp_cache", "utf8"),
  ]);
  return { backlog: countBacklogDrops(softnet), neighbours: countFullTables(neighbours) };
}

export function diffDropped(before: DroppedCounters, now: DroppedCounters): DroppedCounters {
  return { backlog: now.backlog - before.backlog, neighbours: now.neighbours - before.neighbours };
}

/** A line a processor, hexadecimal: processed, dropped, … */
export function countBacklogDrops(softnet: string): number {
  return softnet
    .trim()
    .split("\n")
    .reduce((sum, line) => sum + parseInt(line.split(/\s+/)[1] ?? "0", 16), 0);
}

/** A line of names, then a line a processor, hexadecimal. */
export function countFullTables(statistics: string): number {
  const [names = "", ...lines] = statistics.trim().split("\n");
  const column = names.trim().split(/\s+/).indexOf("table_fulls");
  return lines.reduce((sum, line) => sum + parseInt(line.trim().split(/\s+/)[column] ?? "0", 16), 0);
}
