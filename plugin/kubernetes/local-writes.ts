import type { ObjectMeta } from "./object-meta.ts";

/** Local writes that the watch has not delivered yet: older states of these objects are ignored. */
export class LocalWrites {
  /** Key of the object -> version that was written, or uid of the object that was deleted. */
  readonly #writes = new Map<string, bigint | { readonly deleted: string }>();

  recordWrite(key: string, resourceVersion: string): void {
    this.#writes.set(key, BigInt(resourceVersion));
  }

  recordDelete(key: string, uid: string): void {
    this.#writes.set(key, { deleted: uid });
  }

  /**
   * Reports whether a received state of an object is older than a local write; forgets the write if it is not.
   * Resource versions of one kind are comparable numbers (KEP-5504).
   */
  isStale(key: string, { resourceVersion, uid }: ObjectMeta, isDeleted = false): boolean {
    const write = this.#writes.get(key);
    if (write === undefined) return false;
    const isOld = typeof write === "bigint" ? BigInt(resourceVersion) < write : uid === write.deleted && !isDeleted;
    if (!isOld) this.#writes.delete(key);
    return isOld;
  }

  /** Reports whether an object that a list of that version does not have was written after it; forgets older writes. */
  isNewerThan(key: string, listVersion: string): boolean {
    const write = this.#writes.get(key);
    if (typeof write === "bigint" && write > BigInt(listVersion)) return true;
    this.#writes.delete(key);
    return false;
  }
}
