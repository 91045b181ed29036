import { existsSync } from "node:fs";
import type { UnderlayAddressObject } from "../agent/objects.ts";
import { toAddressSpecFromRecord } from "./allocation.ts";
import type { AddressReleaser } from "./releaser.ts";
import type { AddressRecord, Records } from "./records.ts";
import type { AddressStore } from "./store.ts";

/** Tells the API server what happened on this node while it was away. Idempotent; throws when it is away still. */
export async function syncRecords(
  store: AddressStore,
  records: Records,
  giveBacks: AddressReleaser,
  lost: (record: AddressRecord) => void,
): Promise<void> {
  for (const { name } of records.all()) {
    const record = records.find(name);
    if (record === undefined) continue; // a DEL was faster than the answers before this one
    const object = store.address(record.name);
    if (object === undefined) await recreateObject(store, records, record, lost);
    else if (object.spec.conflict !== undefined) records.remove(record.name);
    else if (object.spec.reserve && object.spec.node === store.node)
      await syncReserveAddress(store, records, giveBacks, record, object);
    else if (object.spec.pod.uid !== record.pod.uid) {
      if (!record.released && existsSync(record.netns)) lost(record);
      records.remove(record.name);
    } else if (record.released && object.spec.containerId !== "")
      await giveBacks.releaseAddress(record.name, { containerId: object.spec.containerId });
    else if (record.stale) {
      const { containerId } = record;
      const next = await store.replace(object, { ...object.spec, containerId, node: store.node });
      if (next !== undefined) markSynced(records, record);
    }
  }
}

/** Unless an ADD or a DEL has changed it while the API server was told: then that is what counts, and is told next. */
function markSynced(records: Records, record: AddressRecord): void {
  if (records.find(record.name) === record) records.write({ ...record, stale: false });
}

/** An address of the reserve that a pod got while the API server was away. */
async function syncReserveAddress(
  store: AddressStore,
  records: Records,
  giveBacks: AddressReleaser,
  record: AddressRecord,
  object: UnderlayAddressObject,
): Promise<void> {
  const pod = store.cachedPod(record.pod.namespace, record.pod.name);
  const spec = toAddressSpecFromRecord(record, store.node, pod);
  if (record.released && !giveBacks.isPodRunning({ spec })) {
    records.remove(record.name); // it is of the reserve again
    return;
  }
  if ((await store.replace(object, spec)) !== undefined) markSynced(records, record);
}

/** The object was deleted, by whomever, and the container has the address still: it is taken again before another does. */
async function recreateObject(
  store: AddressStore,
  records: Records,
  record: AddressRecord,
  lost: (record: AddressRecord) => void,
): Promise<void> {
  if (record.released || !existsSync(record.netns)) {
    records.remove(record.name);
    return;
  }
  const pod = store.cachedPod(record.pod.namespace, record.pod.name);
  const made = await store.create(record.name, toAddressSpecFromRecord(record, store.node, pod));
  if (made !== undefined) {
    const now = records.find(record.name);
    if (now === undefined || now.released) await store.remove(made); // its DEL came meanwhile, and found no object
    return;
  }
  if (store.address(record.name) === undefined) return; // somebody has made it; the watch will tell who
  lost(record);
}
