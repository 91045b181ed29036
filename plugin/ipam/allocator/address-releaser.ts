import { hasFinished } from "../../kubernetes/pod-phase.ts";
import type { UnderlayAddressObject } from "../../kubernetes/objects.ts";
import type { Records } from "../records/address-records.ts";
import type { ContainerNic } from "../records/sandbox-state.ts";
import type { AddressStore } from "../records/address-store.ts";

/** Upper bound of remembered containers; the oldest are evicted. */
const MAX_REMEMBERED = 1000;
/** Releases or keeps an address when its container is deleted. */
export class AddressReleaser {
  readonly #store: AddressStore;
  readonly #records: Records;
  /** Container -> addresses created for it. If another NIC of the container gets no address, all of them are released. */
  readonly #allocated = new Map<string, Set<string>>();
  readonly #failed = new Set<string>();

  constructor(store: AddressStore, records: Records) {
    this.#store = store;
    this.#records = records;
  }

  /** Records that these addresses were created for this container, and not taken over. */
  recordAllocation(containerId: string, names: readonly string[]): void {
    if (names.length === 0) return;
    this.#allocated.set(containerId, new Set([...(this.#allocated.get(containerId) ?? []), ...names]));
    for (const first of this.#allocated.keys()) {
      if (this.#allocated.size <= MAX_REMEMBERED) break;
      this.#allocated.delete(first);
    }
  }

  /**
   * Records that a NIC of the container got no address. The runtime deletes the container, and the addresses of its other NICs
   * must be released: otherwise two such pods would wait for each other forever.
   */
  recordFailure(containerId: string): void {
    this.#failed.add(containerId);
    for (const first of this.#failed) {
      if (this.#failed.size <= MAX_REMEMBERED) break;
      this.#failed.delete(first);
    }
  }

  /**
   * Releases the addresses of a NIC after CNI's DEL. A running pod keeps its address for its next sandbox, and a StatefulSet's pod
   * keeps it for its successor.
   */
  async release(nic: ContainerNic): Promise<void> {
    const belongsToNic = (container: ContainerNic): boolean =>
      container.containerId === nic.containerId && container.ifname === nic.ifname;
    const names = new Set([
      ...this.#records
        .listRecords()
        .filter(belongsToNic)
        .map((record) => record.name),
      ...this.#store.listAddresses().flatMap((object) => (belongsToNic(object.spec) ? [object.metadata.name] : [])),
    ]);
    for (const name of names) {
      const record = this.#records.find(name);
      if (record !== undefined) this.#records.write({ ...record, released: true });
      await this.releaseAddress(name, nic).catch(() => undefined); // syncRecords retries
    }
  }

  /** GC: releases, as DEL does, the addresses of this network that are not in `valid`. */
  async collect(network: string, valid: readonly ContainerNic[]): Promise<void> {
    const validKeys = new Set(valid.map((nic) => `${nic.containerId}/${nic.ifname}`));
    for (const record of this.#records.listRecords())
      if (record.network === network && !record.released && !validKeys.has(`${record.containerId}/${record.ifname}`))
        await this.release(record);
  }

  async releaseAddress(name: string, { containerId }: Pick<ContainerNic, "containerId">): Promise<void> {
    if (!this.#store.isSynced()) return;
    // Not in the cache: deleted, or without the label of this node, as earlier versions made it.
    const object = this.#store.getAddress(name) ?? (await this.#store.readAddress(name));
    if (object === undefined) {
      this.#records.remove(name); // deleted manually
      return;
    }
    if (object.spec.reserve) return; // allocated offline: syncRecords handles it
    const record = this.#records.find(name);
    // The object does not name the pod's last sandbox yet.
    const unsynced =
      record?.stale === true && record.pod.uid === object.spec.pod.uid && record.containerId === containerId;
    if (object.spec.containerId !== containerId && !unsynced) return; // taken over by the pod's next sandbox
    const failed = this.#isOfFailedContainer(name, containerId);
    // The pod's next sandbox gets the address from the record, maybe before the object is updated. So the object keeps the
    // last container id: an empty one would mean for other nodes that the address is no longer in use here.
    if (object.spec.conflict === undefined && !failed && this.isPodRunning(object)) return;
    const { conflict, owner, set } = object.spec;
    // The next request may release the address even if its response is lost, so the record is marked before it.
    if (record !== undefined) this.#records.write({ ...record, leaving: true });
    if (conflict !== undefined || set !== undefined || (owner?.kind === "StatefulSet" && !failed)) {
      const replaced = await this.#store.replaceAddress(object, { ...object.spec, containerId: "" });
      if (replaced === undefined || record === undefined) return;
      if (object.spec.conflict === undefined) this.#records.remove(name);
      else if (unsynced) this.#records.write({ ...record, stale: false });
      return;
    }
    await this.#store.deleteAddress(object);
    this.#records.remove(name);
    this.#allocated.get(containerId)?.delete(name);
  }

  #isOfFailedContainer(name: string, containerId: string): boolean {
    return this.#failed.has(containerId) && this.#allocated.get(containerId)?.has(name) === true;
  }

  isPodRunning({ spec }: Pick<UnderlayAddressObject, "spec">): boolean {
    const pod = this.#store.getCachedPod(spec.pod.namespace, spec.pod.name);
    return (
      pod?.metadata.uid === spec.pod.uid && pod.metadata.deletionTimestamp === undefined && !hasFinished(pod.status)
    );
  }
}
