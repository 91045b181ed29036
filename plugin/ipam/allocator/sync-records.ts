import { existsSync } from "node:fs";
import type { UnderlayAddressObject } from "../../kubernetes/objects.ts";
import { toAddressSpecFromRecord } from "../records/allocation.ts";
import type { AddressReleaser } from "./address-releaser.ts";
import type { AddressRecord, Records } from "../records/address-records.ts";
import { hasLabels } from "../records/address-labels.ts";
import type { AddressStore } from "../records/address-store.ts";
import { isFree } from "../sets/plan-sets.ts";
import { isVirtualMachine } from "../annotations/workload.ts";

/** Writes changes that happened on this node while the API server was unreachable. Idempotent; throws if it still is. */
export async function syncRecords(
  store: AddressStore,
  records: Records,
  releaser: AddressReleaser,
  lost: (record: AddressRecord) => void,
): Promise<void> {
  for (const { name } of records.listRecords()) {
    const record = records.find(name);
    if (record === undefined) continue; // a DEL removed it in the meantime
    // Not in the cache: deleted, of another node by now, or without the label of this node, as earlier versions made it.
    const object = store.getAddress(record.name) ?? (await store.readAddress(record.name));
    if (object === undefined) await recreateObject(store, records, record);
    else if (object.spec.conflict !== undefined) records.remove(record.name);
    else if (object.spec.reserve && object.spec.node === store.node)
      await syncReserveAddress(store, records, releaser, record, object);
    else if (object.spec.pod.uid !== record.pod.uid && isMigratingMachine(object, record)) {
      if (isFree(object)) await returnToMachine(store, record, object);
    } else if (object.spec.pod.uid !== record.pod.uid) {
      if (!record.released && existsSync(record.netns)) lost(record);
      records.remove(record.name);
    } else if (record.released && object.spec.containerId !== "")
      await releaser.releaseAddress(record.name, { containerId: object.spec.containerId });
    else if (record.stale) {
      const { containerId } = record;
      const replaced = await store.replaceAddress(object, { ...object.spec, containerId, node: store.node });
      if (replaced !== undefined) markSynced(records, record);
    } else if (!hasLabels(object.metadata.labels, object.spec)) await store.replaceAddress(object, object.spec);
  }
}

/** The other pod of a virtual machine that migrates has the address by now; this one keeps it until its container is deleted. */
function isMigratingMachine({ spec }: UnderlayAddressObject, { released, netns, pod }: AddressRecord): boolean {
  const ofMachine = spec.set !== undefined && isVirtualMachine(spec.set) && spec.pod.namespace === pod.namespace;
  return ofMachine && !released && existsSync(netns);
}

/** The migration failed: the pod from which the machine should have migrated still runs. */
async function returnToMachine(
  store: AddressStore,
  record: AddressRecord,
  object: UnderlayAddressObject,
): Promise<void> {
  const pod = store.getCachedPod(record.pod.namespace, record.pod.name);
  await store.replaceAddress(object, { ...object.spec, ...toAddressSpecFromRecord(record, store.node, pod) });
}

/** Marks the record as synced, unless an ADD or DEL changed it during the write: the next sync writes that change. */
function markSynced(records: Records, record: AddressRecord): void {
  if (records.find(record.name) === record) records.write({ ...record, stale: false });
}

/** Syncs a reserved address that a pod got while the API server was unreachable. */
async function syncReserveAddress(
  store: AddressStore,
  records: Records,
  releaser: AddressReleaser,
  record: AddressRecord,
  object: UnderlayAddressObject,
): Promise<void> {
  const pod = store.getCachedPod(record.pod.namespace, record.pod.name);
  const spec = toAddressSpecFromRecord(record, store.node, pod);
  if (record.released && !releaser.isPodRunning({ spec })) {
    records.remove(record.name); // back in the reserve
    return;
  }
  if ((await store.replaceAddress(object, spec)) !== undefined) markSynced(records, record);
}

/** Recreates an object that was deleted while the container still has the address, before another pod gets it. */
async function recreateObject(store: AddressStore, records: Records, record: AddressRecord): Promise<void> {
  if (record.released || !existsSync(record.netns)) {
    records.remove(record.name);
    return;
  }
  const pod = store.getCachedPod(record.pod.namespace, record.pod.name);
  const created = await store.createAddress(record.name, toAddressSpecFromRecord(record, store.node, pod));
  if (created === undefined) return; // created by another node in this moment: looked at again later
  const currentRecord = records.find(record.name);
  if (currentRecord === undefined || currentRecord.released) await store.deleteAddress(created); // a DEL ran in the meantime and found no object
}
