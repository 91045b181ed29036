import type { AddressStore } from "../records/address-store.ts";
import type { IpamRequest } from "../records/ipam-request.ts";
import type { AddressRecord, Records } from "../records/address-records.ts";

/** Finds the records of a repeated ADD, or of a new sandbox of the same pod. Needs only this node, unless its cache does not have the address. */
export async function findRecordedAddresses(
  store: AddressStore,
  records: Records,
  request: IpamRequest,
): Promise<readonly AddressRecord[]> {
  const mine = findRecords(records, request);
  const areValid = await Promise.all(mine.map((r) => isValid(store, r)));
  const valid = mine.filter((_, index) => areValid[index]);
  if (valid.length < mine.length) {
    // An object was deleted manually: forget all records of this NIC.
    for (const r of mine) if (!valid.includes(r)) records.remove(r.name);
    return [];
  }
  return valid.map((r) => {
    if (r.containerId === request.containerId && !r.released) return r;
    const next = { ...r, containerId: request.containerId, netns: request.netns, released: false, stale: true };
    records.write(next);
    return next;
  });
}

function findRecords(records: Records, { pod, ifname, network }: IpamRequest): readonly AddressRecord[] {
  const find = (): readonly AddressRecord[] =>
    records
      .listRecords()
      .filter((r) => r.pod.uid === pod.uid && r.pod.name === pod.name && r.ifname === ifname && r.network === network);
  const known = find();
  if (known.length > 0) return known;
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
