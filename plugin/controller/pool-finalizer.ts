import type { UnderlayPoolObject } from "../kubernetes/objects.ts";

/** Finalizer of an UnderlayPool that has addresses in use: a deleted pool stays until its pods have released them. */
const POOL_FINALIZER = "interlay.dev/addresses-in-use";

/**
 * Plans the finalizers of a pool. A pool without addresses in use does not have Interlay's, so that it can be deleted without Interlay.
 *
 * @returns undefined if no change is needed
 */
export function planFinalizers(
  { metadata }: UnderlayPoolObject,
  counts: { readonly used: number; readonly draining: number },
): readonly string[] | undefined {
  const inUse = counts.used + counts.draining > 0;
  const hasFinalizer = metadata.finalizers.includes(POOL_FINALIZER);
  if (inUse === hasFinalizer) return undefined;
  // The API server rejects new finalizers on an object that is being deleted.
  if (inUse) return metadata.deletionTimestamp === undefined ? [...metadata.finalizers, POOL_FINALIZER] : undefined;
  return metadata.finalizers.filter((name) => name !== POOL_FINALIZER);
}
