import type { VariantResult } from "../results/schema.ts";

/** What the specs of this process have found so far, for whoever started them and writes the report. */
export const variantResults: VariantResult[] = [];
/** Component versions, once a cluster is there. */
export const versions: Record<string, string> = {};
