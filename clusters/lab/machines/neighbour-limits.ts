import { type KernelLimits, raiseLimits } from "../../kernel-limits.ts";
import type { Progress } from "../../progress.ts";

/** Labs of fewer workers have done with the kernel's own. */
const WORKERS = 6;
/** Three are one setting: from when it is cleaned up, from when at once, and the most. */
const THRESHOLDS = { gc_thresh1: 8192, gc_thresh2: 16_384, gc_thresh3: 32_768 } as const;

/**
 * A kernel has one table of neighbours for all its network namespaces, of 1024 that are not permanent: every node of a lab
 * and every pod takes from it. Twenty nodes with 460 pods filled it as soon as they were asked, and what has no neighbour is
 * dropped. On a computer for each node it is each node's own.
 */
export async function raiseNeighbourLimits(workers: number, progress: Progress): Promise<void> {
  if (workers < WORKERS) return;
  for (const family of ["ipv4", "ipv6"]) await raiseLimits(createLimits(family), progress);
}

function createLimits(family: string): KernelLimits {
  const because = "the neighbours of all nodes and pods of a lab are in one table";
  // The most first: a lower one may not be above it for a moment.
  const atLeast = Object.fromEntries(Object.entries(THRESHOLDS).toReversed());
  return { prefix: `net.${family}.neigh.default`, atLeast, because };
}
