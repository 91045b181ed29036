import type { UnderlayAddressObject } from "../agent/objects.ts";
import type { Records } from "./records.ts";
import type { Nic } from "./sandbox.ts";
import type { AddressStore } from "./store.ts";

/** Sandboxes that failed for want of an address are few; of more than so many the first are forgotten. */
const MAX_REMEMBERED = 1000;
const FINISHED_PHASES = ["Succeeded", "Failed"];

/** What becomes of an address when its container goes. */
export class AddressReleaser {
  readonly #store: AddressStore;
  readonly #records: Records;
  /** Container -> addresses that were made for it; of a container whose pod has got another NIC's none, they all go back. */
  readonly #allocated = new Map<string, Set<string>>();
  readonly #failed = new Set<string>();

  constructor(store: AddressStore, records: Records) {
    this.#store = store;
    this.#records = records;
  }

  /** These were made for this container, and for none before it. */
  recordAllocation(containerId: string, names: readonly string[]): void {
    if (names.length === 0) return;
    this.#allocated.set(containerId, new Set([...(this.#allocated.get(containerId) ?? []), ...names]));
    for (const first of this.#allocated.keys()) {
      if (this.#allocated.size <= MAX_REMEMBERED) break;
      this.#allocated.delete(first);
    }
  }

  /**
   * One of its NICs got no address, so the runtime takes the container away again: what its other NICs got must not be
   * held meanwhile, or two such pods would wait for each other for ever.
   */
  recordFailure(containerId: string): void {
    this.#failed.add(containerId);
    for (const first of this.#failed) {
      if (this.#failed.size <= MAX_REMEMBERED) break;
      this.#failed.delete(first);
    }
  }

  /** DEL. A pod that lives on keeps its address for its next sandbox, a StatefulSet's pod for its next life. */
  async release(nic: Nic): Promise<void> {
    const isIts = (a: Nic): boolean => a.containerId === nic.containerId && a.ifname === nic.ifname;
    const names = new Set([
      ...this.#records
        .all()
        .filter(isIts)
        .map((r) => r.name),
      ...this.#store.addresses().flatMap((o) => (isIts(o.spec) ? [o.metadata.name] : [])),
    ]);
    for (const name of names) {
      const record = this.#records.find(name);
      if (record !== undefined) this.#records.write({ ...record, released: true });
      await this.releaseAddress(name, nic).catch(() => undefined); // told to the API server later, by sync
    }
  }

  /** GC: what the runtime does not know as valid of this network is released as DEL would. */
  async collect(network: string, valid: readonly Nic[]): Promise<void> {
    const keep = new Set(valid.map((a) => `${a.containerId}/${a.ifname}`));
    for (const record of this.#records.all())
      if (record.network === network && !record.released && !keep.has(`${record.containerId}/${record.ifname}`))
        await this.release(record);
  }

  async releaseAddress(name: string, { containerId }: Pick<Nic, "containerId">): Promise<void> {
    const object = this.#store.address(name);
    if (!this.#store.isSynced()) return;
    if (object === undefined) {
      this.#records.remove(name); // deleted by hand
      return;
    }
    if (object.spec.reserve) return; // given while the API server was away: sync tells it
    const record = this.#records.find(name);
    // The object has not been told of the pod's last sandbox.
    const untold =
      record?.stale === true && record.pod.uid === object.spec.pod.uid && record.containerId === containerId;
    if (object.spec.containerId !== containerId && !untold) return; // given on to the pod's next sandbox
    const fruitless = this.#isOfFailedContainer(name, containerId);
    // Its pod's next sandbox gets it from the record, perhaps before the API server is told. So the object goes on naming
    // the last one: without a container it would say to other nodes that this one has let go.
    if (object.spec.conflict === undefined && !fruitless && this.isPodRunning(object)) return;
    if (object.spec.conflict !== undefined || (object.spec.owner?.kind === "StatefulSet" && !fruitless)) {
      const next = await this.#store.replace(object, { ...object.spec, containerId: "" });
      if (next === undefined || record === undefined) return;
      if (object.spec.conflict === undefined) this.#records.remove(name);
      else if (untold) this.#records.write({ ...record, stale: false });
      return;
    }
    if (record !== undefined) this.#records.write({ ...record, leaving: true });
    await this.#store.remove(object);
    this.#records.remove(name);
    this.#allocated.get(containerId)?.delete(name);
  }

  #isOfFailedContainer(name: string, containerId: string): boolean {
    return this.#failed.has(containerId) && this.#allocated.get(containerId)?.has(name) === true;
  }

  isPodRunning({ spec }: Pick<UnderlayAddressObject, "spec">): boolean {
    const pod = this.#store.cachedPod(spec.pod.namespace, spec.pod.name);
    return (
      pod?.metadata.uid === spec.pod.uid &&
      pod.metadata.deletionTimestamp === undefined &&
      !FINISHED_PHASES.includes(pod.status.phase)
    );
  }
}
