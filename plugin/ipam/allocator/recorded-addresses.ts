import type { AddressStore } from "../records/address-store.ts";
import type { IpamRequest } from "../records/ipam-request.ts";
import type { AddressRecord, Records } from "../records/address-records.ts";

/** Finds the records of a repeated ADD, or of a new sandbox of the same pod. Needs only this node, unless its cache does not have the address. */
export async function findRecordedAddresses(
  store: AddressStore,
  records: Records,
  request: IpamRequest,
): Promise<readonly AddressRecord[]> {
  const nicRecords = findRecords(records, request);
  const areValid = await Promise.all(nicRecords.map((record) => isValid(store, record)));
  const valid = nicRecords.filter((_, index) => areValid[index]);
  if (valid.length < nicRecords.length) {
    // An object was deleted manually: forget all records of this NIC.
    for (const record of nicRecords) if (!valid.includes(record)) records.remove(record.name);
    return [];
  }
  return valid.map((record) => {
    if (record.containerId === request.containerId && !record.released) return record;
    const updated = { ...record, containerId: request.containerId, netns: request.netns, released: false, stale: true };
    records.write(updated);
    return updated;
  });
}

function findRecords(records: Records, { pod, ifname, network }: IpamRequest): readonly AddressRecord[] {
  const find = (): readonly AddressRecord[] =>
    records
      .listRecords()
      .filter(
        (record) =>
          record.pod.uid === pod.uid &&
          record.pod.name === pod.name &&
          record.ifname === ifname &&
          record.network === network,
      );
  const matching = find();
  if (matching.length > 0) return matching;
  // During an update, the previous agent may have written records that this one has not read.
  records.readNewFiles();
  return find();
}

async function isValid(store: AddressStore, { name, pod, leaving }: AddressRecord): Promise<boolean> {
  if (leaving) return false;
  if (!store.isSynced()) return true;
  // The cache may be late, or the object without the label of this node.
  const spec = (store.getAddress(name) ?? (await store.readAddress(name).catch(() => undefined)))?.spec;
  if (spec === undefined || spec.conflict !== undefined) return false;
  return spec.pod.uid === pod.uid || (spec.reserve === true && spec.node === store.node);
}
