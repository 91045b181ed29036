import assert from "node:assert/strict";
import { Allocator } from "./allocator.ts";
import { type AddressRecord, Records } from "../records/address-records.ts";
import type { AddressStore } from "../records/address-store.ts";
import { useDirectory } from "../../testing/use-directory.ts";

/** An API server that has not been reached: what is released waits in the records. */
const UNKNOWN: AddressStore = {
  node: "n1",
  isSynced: () => false,
  getNodeLabels: () => ({}),
  listSetMembers: () => Promise.resolve([]),
  readNamespaceMetadata: () => Promise.resolve({ labels: {}, annotations: {} }),
  listPools: () => [],
  getAddress: () => undefined,
  listAddresses: () => [],
  readAddress: () => Promise.resolve(undefined),
  openBlock: () => Promise.resolve({ get: () => undefined, values: () => [] }),
  findPod: () => Promise.resolve(undefined),
  getCachedPod: () => undefined,
  listPodAddresses: () => Promise.resolve([]),
  createAddress: () => Promise.resolve(undefined),
  replaceAddress: () => Promise.resolve(undefined),
  deleteAddress: () => Promise.resolve(false),
};

const held = (last: number, network: string, containerId: string): AddressRecord => ({
  name: `10.7.200.${last}`,
  uid: `object-${last}`,
  address: `10.7.200.${last}`,
  prefixLength: 16,
  routes: [],
  pool: "underlay",
  containerId,
  ifname: "eth0",
  network,
  netns: "/var/run/netns/x",
  pod: { namespace: "a", name: containerId, uid: containerId },
  released: false,
  stale: false,
  leaving: false,
});

describe("GC of addresses", () => {
  const directory = useDirectory();

  it("should release addresses of this network that are not valid, and none of other networks", async () => {
    const records = new Records(directory);
    for (const record of [held(1, "underlay", "kept"), held(2, "underlay", "lost"), held(3, "other", "theirs")])
      records.write(record);
    await new Allocator(UNKNOWN, records).collect("underlay", [{ containerId: "kept", ifname: "eth0" }]);
    const released = records.listRecords().filter((record) => record.released);
    assert.deepEqual(
      released.map(({ name }) => name),
      ["10.7.200.2"],
    );
  });
});
