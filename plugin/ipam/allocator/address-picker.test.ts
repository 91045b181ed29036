import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ip } from "../../datapath/address.ts";
import type { UnderlayAddressSpec } from "../../kubernetes/objects.ts";
import { AddressCluster, NodeStore } from "../../testing/address-cluster.ts";
import { parsePools } from "../pool/parse-pools.ts";
import type { Pool } from "../pool/select-pools.ts";
import { SYSTEM_CLOCK } from "../waiting/exhaustion-wait.ts";
import { AddressPicker } from "./address-picker.ts";

const NODES = 50;
const PODS = 10;
const REQUEST_MS = 2;
const LAG_MS = 2;
const MAX_REFUSED = 0.05;

/** A node whose requests and watch take their time, and which counts what it opens and what is refused. */
class SlowStore extends NodeStore {
  readonly opened: string[] = [];
  refused = 0;

  override async openBlock(block: string) {
    this.opened.push(block);
    return super.openBlock(block);
  }

  override async createAddress(name: string, spec: UnderlayAddressSpec, waiting?: number) {
    await sleep(REQUEST_MS);
    const made = await super.createAddress(name, spec, waiting);
    if (made === undefined) this.refused++;
    return made;
  }
}

describe("AddressPicker", () => {
  let cluster: AddressCluster;
  let watches: NodeJS.Timeout;

  const createNodes = (count: number): readonly { readonly store: SlowStore; readonly picker: AddressPicker }[] => {
    const nodes = Array.from({ length: count }, (_, index) => {
      const store = new SlowStore(cluster, `node-${index}`);
      store.catchUp();
      return { store, picker: new AddressPicker(store, Math.random, SYSTEM_CLOCK) };
    });
    watches = setInterval(() => {
      for (const { store } of nodes) store.catchUp();
    }, LAG_MS);
    return nodes;
  };
  const getPool = (): Pool => {
    const [pool] = parsePools(cluster.pools).valid;
    assert.ok(pool);
    return pool;
  };
  const buildSpec =
    (node: string) =>
    (ip: Ip): UnderlayAddressSpec => ({
      address: ip,
      pool: "p",
      node,
      containerId: "c",
      ifname: "eth0",
      network: "underlay",
      pod: { namespace: "default", name: "a", uid: "a" },
    });

  beforeEach(() => {
    cluster = new AddressCluster();
  });
  afterEach(() => {
    clearInterval(watches);
  });

  for (const [title, last, blocks] of [
    ["a pool of four times the need", "10.7.7.208", 8],
    ["a pool of eight thousand addresses", "10.7.31.255", 32],
  ] as const)
    it(`takes addresses for ${NODES} nodes at once from ${title} with few refused creations`, async () => {
      cluster.pool("p", { ranges: [`10.7.0.1-${last}`] });
      const nodes = createNodes(NODES);
      const pool = getPool();
      const made = await Promise.all(
        nodes.map(async ({ picker, store }) => {
          const names: (string | undefined)[] = [];
          for (let pod = 0; pod < PODS; pod++)
            names.push((await picker.takeAddress(pool, undefined, buildSpec(store.node)))?.metadata.name);
          return names;
        }),
      );
      assert.equal(new Set(made.flat()).size, NODES * PODS);
      const refused = nodes.reduce((sum, { store }) => sum + store.refused, 0);
      assert.ok(refused / (NODES * PODS) <= MAX_REFUSED, `${refused} of ${NODES * PODS} refused`);
      assert.ok(
        nodes.every(({ store }) => new Set(store.opened).size <= 2),
        "each node watches one block or two",
      );
      assert.ok(new Set(nodes.flatMap(({ store }) => store.opened)).size > blocks / 2);
    });

  it("takes the last address of a pool with 20 blocks, and finds afterwards that it is full", async () => {
    cluster.pool("p", { ranges: ["10.7.0.0/20", "10.7.16.0/22"], excluded: ["10.7.0.0"] });
    const pool = getPool();
    for (let index = 0n; index < pool.spaces.free.size; index++) {
      const ip = pool.spaces.free.at(index);
      if (ip !== "10.7.3.77") cluster.write(ip, buildSpec("other")(ip));
    }
    const [node] = createNodes(1);
    assert.ok(node);
    const take = () => node.picker.takeAddress(pool, undefined, buildSpec(node.store.node));
    assert.equal((await take())?.metadata.name, "10.7.3.77");
    assert.equal(await take(), undefined);
    assert.equal(new Set(node.store.opened).size, 20);
    const { length } = node.store.opened;
    assert.equal(await take(), undefined);
    assert.equal(node.store.opened.length, length, "a full pool costs no request until the next pass");
    node.picker.forgetTakenByOthers();
    cluster.addresses.delete("10.7.9.9");
    node.store.catchUp();
    assert.equal((await take())?.metadata.name, "10.7.9.9");
  });

  it("opens only the blocks of the addresses that a pod requests", async () => {
    cluster.pool("p", { ranges: ["10.7.0.0/16"] });
    const [node] = createNodes(1);
    assert.ok(node);
    const pool = getPool();
    const asked = parsePools([...new AddressCluster().pool("asked", { ranges: ["10.7.200.250-10.7.201.5"] }).pools])
      .valid[0]?.spaces.free;
    assert.ok(asked);
    const made = await node.picker.takeAddress(pool, asked, buildSpec(node.store.node));
    assert.equal(made?.metadata.name, "10.7.200.250");
    assert.deepEqual(node.store.opened, ["10.7.200.0-24"]);
    assert.equal((await node.picker.listHolders(asked)).size, 1);
  });
});
