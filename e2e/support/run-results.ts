import type { VariantResult } from "../../results/schema.ts";

/** What the specs of this process have found so far, for whoever started them and writes the report. */
export const recordedVariants: VariantResult[] = [];
/** Snapshots of nodes and pods: file names with what is in them. */
export const recordedSnapshots = new Map<string, string>();
/** Component versions, once a cluster is there. */
export const recordedVersions: Record<string, string> = {};
