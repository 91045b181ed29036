import { readFile } from "node:fs/promises";

/** Drop counters of this machine's kernel for all namespaces; they only increase. */
interface DroppedCounters {
  /** Packets that did not fit into a processor's queue (net.core.netdev_max_backlog). */
  readonly backlog: number;
  /** Neighbours that did not fit into the table of all namespaces (net.ipv4.neigh.default.gc_thresh3). */
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

/** Sums the dropped packets. The file has a line for each processor, in hexadecimal: processed, dropped, … */
export function countBacklogDrops(softnet: string): number {
  return softnet
    .trim()
    .split("\n")
    .reduce((sum, line) => sum + parseInt(line.split(/\s+/)[1] ?? "0", 16), 0);
}

/** Sums the column table_fulls. The file has a line of names, then a line for each processor, in hexadecimal. */
export function countFullTables(statistics: string): number {
  const [names = "", ...lines] = statistics.trim().split("\n");
  const column = names.trim().split(/\s+/).indexOf("table_fulls");
  return lines.reduce((sum, line) => sum + parseInt(line.trim().split(/\s+/)[column] ?? "0", 16), 0);
}
