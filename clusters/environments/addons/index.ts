import type { Environment } from "../environment.ts";

/** Environments of this folder, in the order of a run. */
export const ADDON_ENVIRONMENTS: readonly Environment[] = [];
