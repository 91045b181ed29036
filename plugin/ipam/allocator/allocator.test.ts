import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { podObject } from "../../kubernetes/objects.ts";
import { AddressReclaimer } from "../reclaim/address-reclaimer.ts";
import { type ConflictRecord, writeConflictRecord } from "../../state/conflict-records.ts";
import { AddressCluster, NodeStore, STATEFUL_SET } from "../../testing/address-cluster.ts";
import { Allocator } from "./allocator.ts";
import { type AddressRecord, Records } from "../records/address-records.ts";
import { useDirectory } from "../../testing/use-directory.ts";

const V6 = { subnet: "fd07::/64", ranges: ["fd07::200:1-fd07::200:2"] };
const STRANGER = "02:00:00:00:00:01";

describe("Allocator", () => {
  let cluster: AddressCluster;
  const directory = useDirectory();
  let containers = 0;

  beforeEach(() => {
    cluster = new AddressCluster();
  });

  const agent = (node: string, store = new NodeStore(cluster, node)) => {
    const state = join(directory, node);
    const records = new Records(join(state, "addresses"));
    const conflicts: ConflictRecord[] = [];
    const lost: AddressRecord[] = [];
    const allocator = new Allocator(store, records, {
      random: () => 0,
      now: () => cluster.now,
      stateDirectory: state,
      onConflict: (note) => conflicts.push(note),
      onLost: (record) => lost.push(record),
    });
    const reclaimer = new AddressReclaimer(store, store, records);
    return { node, store, state, records, conflicts, lost, allocator, reclaimer };
  };
  type Agent = ReturnType<typeof agent>;

  const pod = (
    name: string,
    { store, node }: Agent,
    annotations: Readonly<Record<string, string>> = {},
    owner?: object,
  ) => {
    const made = podObject.parse({
      metadata: {
        name,
        namespace: "default",
        uid: cluster.uid(),
        annotations,
        ownerReferences: owner === undefined ? [] : [owner],
      },
      spec: { nodeName: node },
    });
    cluster.pods.set(`default/${name}`, made);
    store.catchUp();
    return made;
  };
  const getNetnsPath = (containerId: string): string => join(directory, containerId);
  const add = async (
    { allocator }: Agent,
    { metadata }: ReturnType<typeof pod>,
    ifname = "eth0",
    containerId = `c${++containers}`,
  ): Promise<readonly string[]> => {
    const { ips } = await allocator.allocate({
      containerId,
      ifname,
      network: "underlay",
      netns: getNetnsPath(containerId),
      pools: [],
      pod: { namespace: "default", name: metadata.name, uid: metadata.uid },
    });
    writeFileSync(getNetnsPath(containerId), "");
    return ips.map(({ address }) => address.split("/")[0] ?? "");
  };
  /** The runtime's end of a container: namespace, then DEL of each NIC. */
  const end = async ({ allocator }: Agent, containerId: string, ...ifnames: readonly string[]): Promise<void> => {
    rmSync(getNetnsPath(containerId), { force: true });
    for (const ifname of ifnames) await allocator.release({ containerId, ifname });
  };
  /** Gives pod a of n1 an address without labels, as an earlier version did. */
  const addUnlabelled = async (): Promise<void> => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
    const before = agent("n1");
    await add(before, pod("a", before), "eth0", "c");
    cluster.removeLabels();
  };

  const held = (): readonly string[] => [...cluster.addresses.keys()].sort();

  it("should allocate a pool of exactly enough addresses to ten nodes at once, each address once", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.10"] });
    const agents = Array.from({ length: 10 }, (_, i) => agent(`n${i}`));
    const pods = agents.map((one, i) => pod(`p${i}`, one));
    const answers = await Promise.all(
      agents.map(async (one, i) => {
        const [mine] = pods.slice(i, i + 1);
        return mine === undefined ? [] : add(one, mine);
      }),
    );
    assert.equal(new Set(answers.flat()).size, 10);
  });

  it("should allocate both families or none", async () => {
    cluster.pool("four", { ranges: ["10.7.200.1-10.7.200.9"] }).pool("six", { ...V6, ranges: ["fd07::200:1"] });
    const one = agent("n1");
    assert.deepEqual(await add(one, pod("a", one)), ["10.7.200.1", "fd07::200:1"]);
    await assert.rejects(add(one, pod("b", one)), /no IPv6 address is free for eth0 of pod default\/b in six \(1\)/);
    assert.equal(held().length, 2, "nothing is held for b");
  });

  it("should release the addresses of a sandbox if one of its NICs gets none", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.2"] });
    const one = agent("n1");
    const [a, b] = [pod("a", one), pod("b", one)];
    await add(one, a, "net1", "ca");
    await add(one, b, "net1", "cb");
    await assert.rejects(add(one, a, "net2", "ca"), /no IPv4 address is free/);
    await end(one, "ca", "net1", "net2");
    assert.deepEqual(held(), ["10.7.200.2"], "what a got has gone back, though a lives");
    await add(one, b, "net2", "cb");
    await end(one, "cb", "net1", "net2");
    assert.equal(held().length, 2, "b was whole: it keeps its addresses for its next sandbox");
  });

  it("should allocate a Deployment's requested addresses to its pods, and name the holders when all are in use", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
    const one = agent("n1");
    const two = agent("n2");
    const set = { "interlay.dev/ip": "10.7.200.4-10.7.200.6" };
    const given = [
      await add(one, pod("d-1", one, set)),
      await add(two, pod("d-2", two, set)),
      await add(one, pod("d-3", one, set), "eth0", "c3"),
    ].flat();
    assert.deepEqual(given.sort(), ["10.7.200.4", "10.7.200.5", "10.7.200.6"]);
    const more = pod("d-4", two, set);
    await assert.rejects(
      add(two, more),
      /none of the 3 addresses that eth0 of pod default\/d-4 requests is free: 10\.7\.200\.4 is held by pod default\/d-1 on node n1, and 2 more are held/,
    );
    cluster.pods.delete("default/d-3");
    one.store.catchUp();
    await end(one, "c3", "eth0");
    two.store.catchUp();
    assert.equal((await add(two, more)).length, 1, "what the old pod had is the new one's");
  });

  it("should name the holder of a requested address, and allocate reserved addresses only on request", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.2"], reserved: ["10.7.200.1"] });
    const one = agent("n1");
    assert.deepEqual(await add(one, pod("any", one)), ["10.7.200.2"]);
    await assert.rejects(add(one, pod("another", one)), /no IPv4 address is free/);
    assert.deepEqual(await add(one, pod("asks", one, { "interlay.dev/ip": "10.7.200.1" })), ["10.7.200.1"]);
    await assert.rejects(
      add(one, pod("late", one, { "interlay.dev/ip": "10.7.200.1" })),
      /10\.7\.200\.1 requested by eth0 of pod default\/late is held by pod default\/asks on node n1/,
    );
  });

  it("should ask to retry if another node is allocating the requested address", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.2"] });
    const [one, two] = [agent("n1"), agent("n2")];
    const asks = { "interlay.dev/ip": "10.7.200.2" };
    const [a, b] = [pod("a", one, asks), pod("b", two, asks)];
    await add(one, a);
    await assert.rejects(add(two, b), /is being allocated or released by another pod; retry/);
    two.store.catchUp();
    await assert.rejects(add(two, b), /10\.7\.200\.2.* is held by pod default\/a/);
  });

  it("should keep a force-deleted pod's address until its container is deleted", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.2"] });
    const one = agent("n1");
    const asks = { "interlay.dev/ip": "10.7.200.2" };
    await add(one, pod("a", one, asks), "eth0", "old");
    const next = pod("a", one, asks);
    await assert.rejects(add(one, next), /10\.7\.200\.2.* is still in use by the previous pod of that name on node n1/);
    rmSync(getNetnsPath("old"));
    assert.deepEqual(await add(one, next), ["10.7.200.2"]);
  });

  it("should keep a StatefulSet pod's address on another node: at once after DEL, otherwise after 30 s", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
    const [one, two] = [agent("n1"), agent("n2")];
    assert.deepEqual(await add(one, pod("web-0", one, {}, STATEFUL_SET), "eth0", "c"), ["10.7.200.1"]);
    const forced = pod("web-0", two, {}, STATEFUL_SET);
    await assert.rejects(add(two, forced), /still in use by the previous pod/);
    cluster.now += 30_000;
    assert.deepEqual(await add(two, forced, "eth0", "d"), ["10.7.200.1"]);
    cluster.pods.delete("default/web-0");
    two.store.catchUp();
    await end(two, "d", "eth0");
    assert.deepEqual(await add(one, pod("web-0", one, {}, STATEFUL_SET)), ["10.7.200.1"]);
  });

  it("should keep a pod's address between two containers", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
    const [one, two] = [agent("n1"), agent("n2")];
    const first = pod("web-0", one, {}, STATEFUL_SET);
    await add(one, first, "eth0", "c");
    await end(one, "c", "eth0");
    await add(one, first, "eth0", "d"); // from the record, before the object is updated
    const forced = pod("web-0", two, {}, STATEFUL_SET);
    await assert.rejects(add(two, forced), /still in use by the previous pod/);
    one.store.catchUp();
    await end(one, "d", "eth0");
    await one.allocator.sync();
    two.store.catchUp();
    assert.deepEqual(await add(two, forced), ["10.7.200.1"]);
  });

  for (const next of ["n1", "n2"])
    it(`should release a StatefulSet pod's address of a draining range when it has another one on ${next}`, async () => {
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
      const one = agent("n1");
      const other = next === "n1" ? one : agent(next);
      await add(one, pod("web-0", one, {}, STATEFUL_SET), "eth0", "c");
      cluster.pods.delete("default/web-0");
      one.store.catchUp();
      await end(one, "c", "eth0");
      cluster.pools.length = 0;
      cluster.pool("p", { ranges: ["10.7.200.5-10.7.200.9"] });
      const addresses = await add(other, pod("web-0", other, {}, STATEFUL_SET));
      for (let pass = 0; pass < 2; pass++) {
        cluster.now += 60_000;
        one.store.catchUp();
        await one.reclaimer.reclaimAddresses({ afterPod: 1000, withoutNode: 60_000, young: 0 }, undefined, cluster.now);
      }
      assert.deepEqual(held(), addresses);
    });

  it("should allocate nothing from the later of two overlapping pools", async () => {
    cluster.pool("first", { ranges: ["10.7.200.1"] }).pool("second", { ranges: ["10.7.200.1-10.7.200.9"] });
    const one = agent("n1");
    assert.deepEqual(await add(one, pod("a", one)), ["10.7.200.1"]);
    await assert.rejects(add(one, pod("b", one)), /in first \(1\)/);
  });

  describe("addresses that another host uses", () => {
    const found = (one: Agent, { metadata }: ReturnType<typeof pod>, address: string): void => {
      const ref = { namespace: "default", name: metadata.name, uid: metadata.uid };
      writeConflictRecord({ address, mac: STRANGER, ifname: "eth0", pod: ref }, one.state);
    };

    it("marks and reports an address of another host and allocates another one on the next attempt", async () => {
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
      const one = agent("n1");
      const a = pod("a", one);
      assert.deepEqual(await add(one, a, "eth0", "c"), ["10.7.200.1"]);
      found(one, a, "10.7.200.1");
      await end(one, "c", "eth0");
      assert.deepEqual(await add(one, a), ["10.7.200.2"]);
      assert.equal(cluster.addresses.get("10.7.200.1")?.spec.conflict, STRANGER);
      assert.deepEqual(
        one.conflicts.map(({ address, mac }) => [address, mac]),
        [["10.7.200.1", STRANGER]],
      );
      cluster.pods.delete("default/a");
      one.store.catchUp();
      await one.allocator.sync();
      assert.equal(cluster.addresses.get("10.7.200.1")?.spec.conflict, STRANGER, "no DEL and no pass takes the mark");
    });

    it("marks conflicts when the API server is back, and does not allocate them until then", async () => {
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
      const one = agent("n1");
      const a = pod("a", one);
      await add(one, a, "eth0", "c");
      one.store.partitioned = true;
      found(one, a, "10.7.200.1");
      await end(one, "c", "eth0");
      await assert.rejects(add(one, a), /API server unreachable/);
      one.store.partitioned = false;
      assert.deepEqual(await add(one, a), ["10.7.200.2"]);
      assert.equal(cluster.addresses.get("10.7.200.1")?.spec.conflict, STRANGER);
    });

    it("should mark an address whose pod and object were deleted", async () => {
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
      const one = agent("n1");
      const a = pod("a", one);
      await add(one, a, "eth0", "c");
      found(one, a, "10.7.200.1");
      cluster.pods.delete("default/a");
      one.store.catchUp();
      await end(one, "c", "eth0");
      await one.allocator.sync();
      assert.equal(cluster.addresses.get("10.7.200.1")?.spec.conflict, STRANGER);
    });

    it("should name the MAC address to a pod that requests the address", async () => {
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
      const one = agent("n1");
      const a = pod("a", one, { "interlay.dev/ip": "10.7.200.1" });
      await add(one, a, "eth0", "c");
      found(one, a, "10.7.200.1");
      await end(one, "c", "eth0");
      await assert.rejects(add(one, a), /is held by another host on the wire \(02:00:00:00:00:01\)/);
    });
  });

  describe("the reserve of a node", () => {
    it("reserves addresses, allocates them offline, syncs later and refills the reserve", async () => {
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"], reservePerNode: 2 });
      const one = agent("n1");
      await one.allocator.sync();
      assert.deepEqual(held(), ["10.7.200.1", "10.7.200.2"]);
      const [a, b, c] = [pod("a", one), pod("b", one), pod("c", one)];
      one.store.partitioned = true;
      const given = [...(await add(one, a, "eth0", "ca")), ...(await add(one, b))].sort();
      assert.deepEqual(given, ["10.7.200.1", "10.7.200.2"]);
      await assert.rejects(add(one, c), /API server unreachable/, "never a guess");
      assert.deepEqual((await add(one, a, "eth0", "ca2")).length, 1, "a new sandbox has the pod's address");
      one.store.partitioned = false;
      await one.allocator.sync();
      const objects = [...cluster.addresses.values()].map(({ spec }) => spec);
      assert.deepEqual(
        objects.filter(({ reserve }) => reserve !== true).map((s) => [s.pod.name, s.containerId]),
        [
          ["a", "ca2"],
          ["b", given.includes("10.7.200.2") ? "c" + String(containers - 1) : ""],
        ],
      );
      assert.equal(objects.filter(({ reserve }) => reserve).length, 2);
    });

    it("should not allocate reserved addresses to pods with a requested or kept address", async () => {
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"], reservePerNode: 1 });
      const one = agent("n1");
      await one.allocator.sync();
      const asks = pod("asks", one, { "interlay.dev/ip": "10.7.200.5" });
      const web = pod("web-0", one, {}, STATEFUL_SET);
      one.store.partitioned = true;
      await assert.rejects(add(one, asks), /API server unreachable/);
      await assert.rejects(add(one, web), /API server unreachable/);
    });

    it("should allocate reserved addresses last, and release them when the pool has no reserve", async () => {
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.2"], reservePerNode: 1 });
      const one = agent("n1");
      await one.allocator.sync();
      await add(one, pod("a", one));
      await add(one, pod("b", one));
      await assert.rejects(add(one, pod("c", one)), /no IPv4 address is free/);
      const two = agent("n2");
      cluster.pools.length = 0;
      cluster.addresses.clear();
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.2"], reservePerNode: 1 });
      two.store.catchUp();
      await two.allocator.sync();
      assert.equal(held().length, 1);
      cluster.pools.length = 0;
      cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.2"] });
      await two.allocator.sync();
      assert.deepEqual(held(), []);
    });
  });

  it("recreates the object of a running pod, or reports the address as lost", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
    const one = agent("n1");
    await add(one, pod("a", one));
    cluster.addresses.delete("10.7.200.1");
    one.store.catchUp();
    await one.allocator.sync();
    assert.equal(cluster.addresses.get("10.7.200.1")?.spec.pod.name, "a");
    cluster.addresses.delete("10.7.200.1");
    const two = agent("n2");
    await add(two, pod("b", two));
    one.store.catchUp();
    await one.allocator.sync();
    assert.deepEqual(
      one.lost.map(({ address, pod: { name } }) => [address, name]),
      [["10.7.200.1", "a"]],
    );
  });

  it("does not recreate the object of a container that ends during the sync", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
    const one = agent("n1");
    const [a, b] = [pod("a", one), pod("b", one)];
    await add(one, a, "eth0", "ca");
    await add(one, b, "eth0", "cb");
    for (const name of ["default/a", "default/b"]) cluster.pods.delete(name);
    cluster.addresses.delete("10.7.200.1");
    one.store.catchUp();
    const create = one.store.createAddress.bind(one.store);
    // The namespaces are there still: DEL comes before they go.
    one.store.createAddress = async (...what) => {
      for (const containerId of ["ca", "cb"]) await one.allocator.release({ containerId, ifname: "eth0" });
      return create(...what);
    };
    await one.allocator.sync();
    assert.deepEqual(held(), []);
    assert.deepEqual(one.records.listRecords(), []);
  });

  it("labels the address of an earlier version that a running container has", async () => {
    await addUnlabelled();
    const after = agent("n1");
    after.store.catchUp();
    await after.allocator.sync();
    assert.deepEqual(
      after.store.listAddresses().map(({ spec }) => spec.containerId),
      ["c"],
    );
  });

  it("releases the address of an earlier version at DEL, although it has no labels yet", async () => {
    await addUnlabelled();
    cluster.pods.delete("default/a");
    const after = agent("n1");
    after.store.catchUp();
    await end(after, "c", "eth0");
    assert.deepEqual([held(), after.records.listRecords()], [[], []]);
  });

  it("keeps the record of an address that DEL could not read until the next synchronization", async () => {
    await addUnlabelled();
    cluster.pods.delete("default/a");
    const after = agent("n1");
    after.store.catchUp();
    after.store.partitioned = true;
    await end(after, "c", "eth0");
    after.store.partitioned = false;
    await after.allocator.sync();
    assert.deepEqual([held(), after.records.listRecords()], [[], []]);
  });

  it("should give the same result from two agents of one node during an update", async () => {
    cluster.pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
    const store = new NodeStore(cluster, "n1");
    const before = agent("n1", store);
    const after = agent("n1", new NodeStore(cluster, "n1"));
    const a = pod("a", before);
    assert.deepEqual(await add(before, a, "eth0", "c"), ["10.7.200.1"]);
    after.store.partitioned = true;
    after.allocator.check({ containerId: "c", ifname: "eth0" });
    after.store.partitioned = false;
    after.store.catchUp();
    assert.deepEqual(await add(after, a, "eth0", "d"), ["10.7.200.1"]);
    cluster.pods.delete("default/a");
    for (const one of [before, after]) one.store.catchUp();
    await end(after, "d", "eth0");
    assert.deepEqual(held(), []);
    before.store.catchUp();
    await before.allocator.sync();
    assert.deepEqual(before.records.listRecords(), []);
  });
});
