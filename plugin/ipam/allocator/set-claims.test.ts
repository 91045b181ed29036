import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { podObject } from "../../kubernetes/objects.ts";
import { AddressCluster, NodeStore } from "../../testing/address-cluster.ts";
import { Allocator } from "./allocator.ts";
import { parsePools } from "../pool/parse-pools.ts";
import { AddressReclaimer } from "../reclaim/address-reclaimer.ts";
import { Records } from "../records/address-records.ts";
import { useDirectory } from "../../testing/use-directory.ts";

const DELAYS = { afterPod: 0, withoutNode: 1000, young: 0 };
const DEPLOYMENT = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-1", uid: "rs", controller: true };
const MACHINE = {
  apiVersion: "kubevirt.io/v1",
  kind: "VirtualMachineInstance",
  name: "vm",
  uid: "vmi",
  controller: true,
};

describe("fixed sets", () => {
  let cluster: AddressCluster;
  const directory = useDirectory();
  let containers = 0;

  beforeEach(() => {
    cluster = new AddressCluster().pool("p", { ranges: ["10.7.200.1-10.7.200.9"] });
  });

  /** The leader's part: creates and removes the set's addresses. */
  const resize = (size: number, kind = "Deployment", group = "apps", name = "web"): void => {
    const nics = [{ ifname: "eth0", network: "underlay", pools: parsePools(cluster.pools).valid }];
    cluster.resizeSets(size === 0 ? [] : [{ workload: { group, kind, namespace: "default", name }, size, nics }]);
  };
  const agent = (node: string) => {
    const store = new NodeStore(cluster, node);
    const state = join(directory, node);
    const records = new Records(join(state, "addresses"));
    const lost: string[] = [];
    const allocator = new Allocator(store, records, {
      random: () => 0,
      now: () => cluster.now,
      stateDirectory: state,
      onLost: ({ address }) => lost.push(address),
    });
    return { node, store, allocator, lost, records, reclaimer: new AddressReclaimer(store, store, records) };
  };
  type Agent = ReturnType<typeof agent>;
  const pod = (name: string, { store, node }: Agent, owner: object = DEPLOYMENT, size = "+1") => {
    const made = podObject.parse({
      metadata: {
        name,
        namespace: "default",
        uid: cluster.uid(),
        labels: { "pod-template-hash": "1" },
        annotations: { "interlay.dev/addresses": size },
        ownerReferences: [owner],
      },
      spec: { nodeName: node },
    });
    cluster.pods.set(`default/${name}`, made);
    store.catchUp();
    return made;
  };
  const add = async ({ allocator }: Agent, { metadata }: ReturnType<typeof pod>, id = `c${++containers}`) => {
    const { ips } = await allocator.allocate({
      containerId: id,
      ifname: "eth0",
      network: "underlay",
      netns: join(directory, id),
      pools: [],
      pod: { namespace: "default", name: metadata.name, uid: metadata.uid },
    });
    writeFileSync(join(directory, id), "");
    return ips[0]?.address.split("/")[0] ?? "";
  };
  const end = async ({ allocator, store }: Agent, name: string, id: string): Promise<void> => {
    cluster.pods.delete(`default/${name}`);
    rmSync(join(directory, id));
    store.catchUp();
    await allocator.release({ containerId: id, ifname: "eth0" });
  };

  it("allocates only addresses of the set, and reports when all are in use", async () => {
    resize(2);
    const [one, two] = [agent("n1"), agent("n2")];
    const given = [await add(one, pod("a", one), "ca"), await add(two, pod("b", two), "cb")];
    assert.deepEqual(given.sort(), ["10.7.200.1", "10.7.200.2"]);
    const c = pod("c", two);
    await assert.rejects(add(two, c), /none of the 2 addresses in the set of Deployment default\/web is free for eth0/);
    await end(one, "a", "ca");
    assert.equal(await add(two, c, "cc"), "10.7.200.1", "the released address of the set, on another node");
  });

  it("allocates each address once when two nodes take them at the same time", async () => {
    resize(4);
    const agents = [agent("n1"), agent("n2"), agent("n3"), agent("n4")];
    const pods = agents.map((one, index) => pod(`p${index}`, one));
    const given = await Promise.all(agents.map((one, index) => add(one, pods[index] ?? pod("none", one))));
    assert.equal(new Set(given).size, 4);
  });

  it("gives no address of a set to other pods", async () => {
    resize(9);
    const one = agent("n1");
    const other = pod("x", one, { ...DEPLOYMENT, name: "other-1" });
    await assert.rejects(add(one, other), /the set of Deployment default\/other has no address/);
    const plain = podObject.parse({ ...other, metadata: { ...other.metadata, annotations: {} } });
    cluster.pods.set("default/x", plain);
    one.store.catchUp();
    await assert.rejects(add(one, plain), /no IPv4 address is free/);
  });

  it("keeps the addresses while no pod has them, and releases them with the workload", async () => {
    resize(2);
    const one = agent("n1");
    await add(one, pod("a", one), "ca");
    await end(one, "a", "ca");
    await one.reclaimer.reclaimAddresses(DELAYS, undefined, cluster.now + 10_000);
    assert.equal(cluster.addresses.size, 2);
    resize(0);
    assert.equal(cluster.addresses.size, 0);
  });

  it("frees the address of a lost node for the set", async () => {
    resize(1);
    const [one, two] = [agent("n1"), agent("n2")];
    await add(one, pod("a", one), "ca");
    cluster.pods.delete("default/a");
    const controller = new NodeStore(cluster, "", "cluster");
    for (const store of [controller, two.store]) store.catchUp();
    const reclaimer = new AddressReclaimer(controller, controller, two.records);
    const gone = () => "gone" as const;
    await reclaimer.reclaimAddresses(DELAYS, gone, cluster.now);
    await reclaimer.reclaimAddresses(DELAYS, gone, cluster.now + 5000);
    two.store.catchUp();
    assert.equal(await add(two, pod("b", two)), "10.7.200.1");
  });

  it("returns the address to the set when the pod's other family has none", async () => {
    cluster.pool("six", { subnet: "fd07::/64", ranges: ["fd07::1"], excluded: ["fd07::1"] });
    resize(1);
    const one = agent("n1");
    await assert.rejects(add(one, pod("a", one)), /the set of Deployment default\/web has no address/);
    assert.equal(cluster.addresses.get("10.7.200.1")?.spec.containerId, "");
  });

  it("keeps the address of a virtual machine that migrates to another node", async () => {
    resize(1, "VirtualMachine", "kubevirt.io", "vm");
    const [one, two] = [agent("n1"), agent("n2")];
    const source = pod("launcher-a", one, MACHINE, "1");
    assert.equal(await add(one, source, "ca"), "10.7.200.1");
    const target = pod("launcher-b", two, MACHINE, "1");
    assert.equal(await add(two, target, "cb"), "10.7.200.1", "while the source still runs");
    one.store.catchUp();
    await one.allocator.sync();
    assert.deepEqual(one.lost, []);
    await end(one, "launcher-a", "ca");
    await one.allocator.sync();
    assert.equal(cluster.addresses.get("10.7.200.1")?.spec.pod.uid, target.metadata.uid);
    assert.deepEqual(one.records.listRecords(), []);
  });

  it("returns the address to the source when the migration of a virtual machine fails", async () => {
    resize(1, "VirtualMachine", "kubevirt.io", "vm");
    const [one, two] = [agent("n1"), agent("n2")];
    const source = pod("launcher-a", one, MACHINE, "1");
    await add(one, source, "ca");
    pod("launcher-b", two, MACHINE, "1");
    await add(two, cluster.pods.get("default/launcher-b") ?? source, "cb");
    await end(two, "launcher-b", "cb");
    one.store.catchUp();
    await one.allocator.sync();
    const { pod: holder, node, containerId } = cluster.addresses.get("10.7.200.1")?.spec ?? {};
    assert.deepEqual([holder?.uid, node, containerId], [source.metadata.uid, "n1", "ca"]);
  });

  it("does not reuse an address that left the set by a DEL whose response was lost", async () => {
    resize(1);
    const [here, elsewhere] = [agent("n1"), agent("n2")];
    const web = pod("web-1-a", { ...here, store: elsewhere.store }); // the agent does not know the pod yet
    await add(here, web, "first");
    here.store.losesAnswer = true;
    await here.allocator.release({ containerId: "first", ifname: "eth0" });
    resize(0);
    assert.equal(cluster.addresses.size, 0);
    await assert.rejects(() => add(here, web, "second"), /10.7.200.1 .* was changed while it was taken over/);
  });
});
