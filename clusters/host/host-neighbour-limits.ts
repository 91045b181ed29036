import { type KernelLimits, raiseLimits } from "./kernel-limits.ts";
import type { Progress } from "../progress/progress.ts";

/** Number of workers from which the kernel's own limits are too low. */
const MIN_WORKERS = 6;
/** Sizes of the table: no entry is removed below the first, old ones are removed above the second, and the third is the maximum. */
const THRESHOLDS = { gc_thresh1: 8192, gc_thresh2: 16_384, gc_thresh3: 32_768 } as const;

/**
 * Raises the limits of the kernel's neighbour tables for a large lab. All network namespaces share one table for each family,
 * with 1024 entries by default. 20 nodes with 460 pods filled it at once, and the kernel drops packets to a neighbour that it
 * cannot store. Real nodes have a table each.
 */
export async function raiseHostNeighbourLimits(workers: number, progress: Progress): Promise<void> {
  if (workers < MIN_WORKERS) return;
  for (const family of ["ipv4", "ipv6"]) await raiseLimits(createLimits(family), progress);
}

function createLimits(family: string): KernelLimits {
  const reason = "the neighbours of all nodes and pods of a lab are in one table";
  // The highest threshold first, so that no lower one exceeds it in between.
  const minimums = Object.fromEntries(Object.entries(THRESHOLDS).toReversed());
  return { prefix: `net.${family}.neigh.default`, minimums, reason };
}
