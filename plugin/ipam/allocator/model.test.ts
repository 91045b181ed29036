import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { podObject, type PodObject } from "../../kubernetes/objects.ts";
import { AddressReclaimer } from "../reclaim/address-reclaimer.ts";
import { writeConflictRecord } from "../../state/conflict-records.ts";
import { AddressCluster, NodeStore, STATEFUL_SET } from "../../testing/address-cluster.ts";
import { Allocator } from "./allocator.ts";
import { parsePools } from "../pool/parse-pools.ts";
import { Records } from "../records/address-records.ts";

/**
 * Random lives of pods on two nodes: containers made, torn down, torn down twice or never, agents killed, partitions
 * from the API server, answers that get lost, watches that lag, pods re-created under their name, strangers on the wire with
 * a pool's address, pods of a second tenant, containers whose address another plugin gave and that were migrated, and time.
 * At every step no two containers that run have the same address, nor one that a stranger has; at the end
 * nothing is held by nobody.
 */
const NODES = ["n1", "n2"] as const;
const NAMES = ["web-0", "a", "b", "set-1", "set-2", "set-3", "tenant-1", "tenant-2"] as const;
const SIZE = 9;
const TENANT_RANGE = "10.7.201.1-10.7.201.2";
const MAX_SET = 3;
const RESERVE = 1;
const DELAYS = { afterPod: 1000, withoutNode: 60_000, young: 500 };
const ADDRESS = (index: number): string => `10.7.200.${index + 1}`;
/** Steps in all runs together. */
/** The kubelet ends containers of a deleted pod within this time. */
const END_MS = 25_000;
const STEPS = Number(process.env["MODEL_STEPS"] ?? 12_000);
const RUNS = 100;
const seed = Number(process.env["MODEL_SEED"] ?? Date.now() % 1_000_000_000);

interface Container {
  readonly id: string;
  readonly pod: PodObject;
  readonly node: number;
  readonly netns: string;
  readonly address: string;
  /** Another plugin gave the address, and Interlay does not see the end of the container. */
  readonly isForeign: boolean;
}

type Op =
  | { readonly op: "pod"; readonly name: number; readonly node: number }
  | { readonly op: "delete"; readonly name: number; readonly force: boolean }
  | { readonly op: "add"; readonly name: number }
  | { readonly op: "del"; readonly container: number; readonly lost: boolean }
  | { readonly op: "delNode"; readonly container: number }
  | { readonly op: "crash"; readonly node: number }
  | { readonly op: "partition"; readonly node: number; readonly on: boolean }
  | { readonly op: "loseAnswer"; readonly node: number }
  | { readonly op: "stranger"; readonly address: number; readonly on: boolean }
  | { readonly op: "letGo"; readonly address: number }
  | { readonly op: "catchUp"; readonly node: number }
  | { readonly op: "migrate"; readonly name: number; readonly address: number }
  | { readonly op: "wait"; readonly pass: number }
  | { readonly op: "resizeSet"; readonly size: number }
  | { readonly op: "reclaim"; readonly node: number; readonly pass: number };

const DEPLOYMENT = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "set-1", uid: "rs-1", controller: true };
const findNamespace = (podName: string): string => (podName.startsWith("tenant-") ? "tenant" : "default");
const getKey = (podName: string): string => `${findNamespace(podName)}/${podName}`;
const isOfSet = (podName: string): boolean => podName.startsWith("set-");

const node = fc.nat({ max: NODES.length - 1 });
const name = fc.nat({ max: NAMES.length - 1 });
const container = fc.nat({ max: 2 });
const address = fc.nat({ max: SIZE - 1 });
const op = <T extends string>(value: T) => fc.constant(value);
const anyOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: op("pod"), name, node }) },
  { weight: 2, arbitrary: fc.record({ op: op("delete"), name, force: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ op: op("add"), name }) },
  { weight: 3, arbitrary: fc.record({ op: op("del"), container, lost: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: op("delNode"), container }) },
  { weight: 1, arbitrary: fc.record({ op: op("crash"), node }) },
  { weight: 2, arbitrary: fc.record({ op: op("partition"), node, on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: op("loseAnswer"), node }) },
  { weight: 1, arbitrary: fc.record({ op: op("stranger"), address, on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: op("letGo"), address }) },
  { weight: 3, arbitrary: fc.record({ op: op("catchUp"), node }) },
  { weight: 1, arbitrary: fc.record({ op: op("migrate"), name, address }) },
  { weight: 1, arbitrary: fc.record({ op: op("wait"), pass: fc.nat({ max: 40_000 }) }) },
  { weight: 2, arbitrary: fc.record({ op: op("resizeSet"), size: fc.nat({ max: MAX_SET }) }) },
  { weight: 2, arbitrary: fc.record({ op: op("reclaim"), node, pass: fc.nat({ max: 5000 }) }) },
);

class Run {
  readonly cluster = new AddressCluster()
    .pool("p", { ranges: [`${ADDRESS(0)}-${ADDRESS(SIZE - 1)}`], reservePerNode: RESERVE, namespaces: ["default"] })
    .pool("q", { ranges: [TENANT_RANGE], namespaces: ["tenant"] });
  readonly directory = mkdtempSync(join(tmpdir(), "interlay-ipam-"));
  readonly stores = NODES.map((n) => new NodeStore(this.cluster, n));
  readonly agents = this.stores.map((_, i) => this.#agent(i));
  readonly containers: Container[] = [];
  /** StatefulSet pod -> the address it was given first. */
  readonly sticky = new Map<string, string>();
  /** Addresses that somebody on the wire has. */
  readonly strangers = new Set<string>();
  /** Addresses that a pod was given and a stranger had: `uid address`. */
  readonly refused = new Set<string>();
  /** Uids of pods on networks of Interlay, and of the other plugin: a pod has one network all its life. */
  readonly ours = new Set<string>();
  readonly foreign = new Set<string>();
  /** Uid of a deleted pod -> when its containers end at the latest. */
  readonly ends = new Map<string, number>();
  #containerIds = 0;

  #state(i: number): string {
    return join(this.directory, NODES[i] ?? "", "state");
  }

  #agent(i: number): { allocator: Allocator; reclaimer: AddressReclaimer } {
    const store = this.stores[i];
    assert.ok(store);
    const records = new Records(join(this.#state(i), "addresses"));
    const options = { random: () => 0.3, now: () => this.cluster.now, stateDirectory: this.#state(i) };
    return {
      allocator: new Allocator(store, records, options),
      reclaimer: new AddressReclaimer(store, store, records),
    };
  }

  async step(what: Op): Promise<void> {
    switch (what.op) {
      case "pod":
        this.#makePod(NAMES[what.name] ?? "", NODES[what.node] ?? "");
        break;
      case "delete":
        this.#deletePod(NAMES[what.name] ?? "", what.force);
        break;
      case "add":
        await this.#add(NAMES[what.name] ?? "");
        break;
      case "del":
        await this.#del(what.container, what.lost);
        break;
      case "delNode": {
        // Gone without DEL, as in a reboot.
        const [gone] = this.containers.splice(what.container, 1);
        if (gone !== undefined) rmSync(gone.netns);
        break;
      }
      case "crash":
        this.agents[what.node] = this.#agent(what.node);
        break;
      case "partition": {
        const store = this.stores[what.node];
        if (store !== undefined) store.partitioned = what.on;
        break;
      }
      case "loseAnswer": {
        const store = this.stores[what.node];
        if (store !== undefined) store.losesAnswer = true;
        break;
      }
      case "stranger":
        if (!what.on) this.strangers.delete(ADDRESS(what.address));
        // One that comes when the address is a pod's already is its owner's fault.
        else if (!this.containers.some((one) => one.address === ADDRESS(what.address)))
          this.strangers.add(ADDRESS(what.address));
        break;
      case "letGo":
        this.#letGo(ADDRESS(what.address));
        break;
      case "catchUp":
        this.stores[what.node]?.catchUp();
        break;
      case "migrate":
        this.#migrate(NAMES[what.name] ?? "", ADDRESS(what.address));
        break;
      case "wait":
        this.#pass(what.pass);
        break;
      case "resizeSet":
        this.#resizeSet(what.size);
        break;
      case "reclaim":
        this.#pass(what.pass);
        this.stores[what.node]?.catchUp();
        await this.#reclaim(what.node);
        break;
    }
    this.#noDoubles();
  }

  /** Lets time pass, in which the kubelets end foreign containers of deleted pods. */
  #pass(milliseconds: number): void {
    this.cluster.now += milliseconds;
    for (const one of [...this.containers]) {
      const end = this.ends.get(one.pod.metadata.uid);
      if (!one.isForeign || end === undefined || this.cluster.now < end) continue;
      this.containers.splice(this.containers.indexOf(one), 1);
      rmSync(one.netns);
    }
  }

  async #reclaim(i: number): Promise<void> {
    await this.agents[i]?.allocator.sync().catch(() => undefined);
    await this.agents[i]?.reclaimer.reclaimAddresses(DELAYS, undefined, this.cluster.now).catch(() => undefined);
  }

  /** The leader's part for the Deployment `set`. */
  #resizeSet(size: number): void {
    const nics = [{ ifname: "eth0", network: "underlay", pools: parsePools(this.cluster.pools).valid }];
    const workload = { group: "apps", kind: "Deployment", namespace: "default", name: "set" };
    this.cluster.resizeSets(size === 0 ? [] : [{ workload, size, nics }]);
  }

  #makePod(podName: string, nodeName: string): void {
    if (this.cluster.pods.has(getKey(podName))) return;
    const pod = podObject.parse({
      metadata: {
        name: podName,
        namespace: findNamespace(podName),
        uid: this.cluster.uid(),
        ownerReferences: podName.startsWith("web-") ? [STATEFUL_SET] : isOfSet(podName) ? [DEPLOYMENT] : [],
        labels: { "pod-template-hash": "1" },
        annotations: isOfSet(podName) ? { "interlay.dev/addresses": "2" } : {},
      },
      spec: { nodeName },
    });
    this.cluster.pods.set(getKey(podName), pod);
  }

  /** A pod runs with an address of another plugin, and `interlay migrate` creates its object. */
  #migrate(podName: string, address: string): void {
    const pod = this.cluster.pods.get(getKey(podName));
    if (pod === undefined || isOfSet(podName) || findNamespace(podName) !== "default") return;
    if (this.ours.has(pod.metadata.uid) || this.foreign.has(pod.metadata.uid)) return;
    const isUsed = this.cluster.addresses.has(address) || this.containers.some((one) => one.address === address);
    if (isUsed || this.strangers.has(address)) return;
    if ([...this.cluster.addresses.values()].some(({ spec }) => spec.pod.name === podName)) return;
    const id = `c${++this.#containerIds}`;
    const netns = join(this.directory, id);
    writeFileSync(netns, "");
    const { uid, ownerReferences } = pod.metadata;
    this.foreign.add(uid);
    const { nodeName } = pod.spec;
    this.cluster.write(address, {
      address,
      pool: "p",
      node: nodeName,
      containerId: id,
      ifname: "eth0",
      network: "",
      pod: { namespace: "default", name: podName, uid },
      reserve: false,
      owner: ownerReferences[0],
    });
    const node = NODES.findIndex((one) => one === nodeName);
    this.containers.push({ id, pod, node, netns, address, isForeign: true });
    if (podName.startsWith("web-")) this.sticky.set(podName, address);
  }

  /** The kubelet lets a pod's object go when its containers are gone; force does not wait for that. */
  #deletePod(podName: string, force: boolean): void {
    const pod = this.cluster.pods.get(getKey(podName));
    if (pod === undefined) return;
    if (!force && this.containers.some((c) => c.pod.metadata.uid === pod.metadata.uid)) return;
    this.cluster.pods.delete(getKey(podName));
    this.ends.set(pod.metadata.uid, this.cluster.now + END_MS);
  }

  async #add(podName: string): Promise<void> {
    const pod = this.cluster.pods.get(getKey(podName));
    const namespace = findNamespace(podName);
    const i = NODES.findIndex((n) => n === pod?.spec.nodeName);
    const agent = this.agents[i];
    if (pod === undefined || agent === undefined || this.foreign.has(pod.metadata.uid)) return;
    this.ours.add(pod.metadata.uid);
    if (this.containers.some((c) => c.pod.metadata.uid === pod.metadata.uid)) return;
    const id = `c${++this.#containerIds}`;
    const netns = join(this.directory, id);
    writeFileSync(netns, "");
    const { uid } = pod.metadata;
    const nic = { containerId: id, ifname: "eth0" };
    let given: string;
    try {
      const answer = await agent.allocator.allocate({
        ...nic,
        network: "underlay",
        netns,
        pools: [],
        pod: { namespace, name: podName, uid },
      });
      given = answer.ips[0]?.address.split("/")[0] ?? "";
    } catch {
      rmSync(netns); // refused, or nobody could be asked: the kubelet tries again
      await agent.allocator.release(nic);
      return;
    }
    const inSet = this.cluster.addresses.get(given)?.spec.set !== undefined;
    assert.equal(inSet, isOfSet(podName), `${podName} got ${given}, which ${inSet ? "is" : "is not"} of the set`);
    const isOfTenant = given.startsWith("10.7.201.");
    assert.equal(isOfTenant, namespace === "tenant", `${podName} of ${namespace} got ${given} of another tenant`);
    if (this.strangers.has(given)) {
      assert.ok(!this.refused.has(`${uid} ${given}`), `${given} is a stranger's, and ${podName} gets it again`);
      this.refused.add(`${uid} ${given}`);
      this.sticky.delete(podName);
      const pod = { namespace, name: podName, uid };
      writeConflictRecord({ address: given, mac: "02:00:00:00:00:01", ifname: "eth0", pod }, this.#state(i));
      rmSync(netns);
      await agent.allocator.release(nic);
      return;
    }
    this.containers.push({ id, pod, node: i, netns, address: given, isForeign: false });
    if (podName.startsWith("web-")) {
      const before = this.sticky.get(podName);
      assert.equal(given, before ?? given, `${podName} had ${before ?? ""}`);
      this.sticky.set(podName, given);
    }
  }

  async #del(index: number, lost: boolean): Promise<void> {
    const gone = this.containers[index];
    if (gone === undefined) return;
    this.containers.splice(index, 1);
    rmSync(gone.netns);
    // A DEL that is lost is never made up for.
    if (!lost && !gone.isForeign)
      await this.agents[gone.node]?.allocator.release({ containerId: gone.id, ifname: "eth0" });
  }

  /** The operator has found the stranger. */
  #letGo(address: string): void {
    if (this.strangers.has(address) || this.cluster.addresses.get(address)?.spec.conflict === undefined) return;
    this.cluster.addresses.delete(address);
    for (const key of this.refused) if (key.endsWith(` ${address}`)) this.refused.delete(key);
  }

  #noDoubles(): void {
    const held = this.containers.map((one) => one.address);
    assert.equal(new Set(held).size, held.length, `the same address twice: ${held.join(", ")}`);
  }

  /** Everything heals and time passes: what is left is what runs, what StatefulSets keep, reserves, and marked ones. */
  async settle(): Promise<void> {
    for (const store of this.stores) {
      store.partitioned = false;
      store.losesAnswer = false;
    }
    for (let round = 0; round < 5; round++) {
      if (round === 2) this.#pass(DELAYS.withoutNode); // nobody saw the end of a migrated pod's container
      for (const [i, store] of this.stores.entries()) {
        store.catchUp();
        this.cluster.now += 2000;
        await this.#reclaim(i);
      }
    }
    const objects = [...this.cluster.addresses.values()].map(({ spec }) => spec);
    const live = new Set(
      [...this.cluster.pods.values(), ...this.containers.map(({ pod }) => pod)].map((p) => p.metadata.uid),
    );
    const isFreeOfSet = (spec: (typeof objects)[number]) => spec.set !== undefined && spec.containerId === "";
    const given = objects.filter((spec) => !spec.reserve && spec.conflict === undefined && !isFreeOfSet(spec));
    for (const spec of given)
      assert.ok(
        live.has(spec.pod.uid) || spec.owner?.kind === "StatefulSet",
        `${spec.address} is held by ${spec.pod.name}, which is gone`,
      );
    // One that still tries may have what its lost answers made, until it is wired or gone.
    const present = new Set([...this.cluster.pods.values()].map((p) => p.metadata.uid));
    const wired = new Set(this.containers.map(({ pod }) => pod.metadata.uid).filter((uid) => present.has(uid)));
    const pods = given.map(({ pod }) => pod.uid).filter((uid) => wired.has(uid));
    assert.equal(new Set(pods).size, pods.length, `a pod has two: ${JSON.stringify(given)}`);
    for (const node of NODES) {
      const reserved = objects.filter((spec) => spec.reserve && spec.node === node).length;
      assert.ok(reserved <= RESERVE, `${node} has ${reserved} in reserve`);
      if (objects.filter((spec) => spec.pool === "p").length < SIZE)
        assert.equal(reserved, RESERVE, `${node} has no reserve, and there is room`);
    }
    for (const { address: has, pod, id } of this.containers)
      assert.equal(
        this.cluster.addresses.get(has)?.spec.pod.uid,
        pod.metadata.uid,
        `${has} of ${id} is not its own any more`,
      );
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

describe("allocation model", function () {
  this.timeout(120_000 + 20 * STEPS);

  it(`addresses are never given twice, never lost, and stay with a StatefulSet's pod (MODEL_SEED=${seed})`, async () => {
    let steps = 0;
    const property = fc.asyncProperty(fc.array(anyOp, { minLength: 10, maxLength: 80, size: "max" }), async (ops) => {
      const run = new Run();
      try {
        for (const one of ops) await run.step(one);
        await run.settle();
      } finally {
        run.close();
      }
      steps += ops.length;
    });
    for (let round = 0; steps < STEPS; round++) await fc.assert(property, { numRuns: RUNS, seed: seed + round });
  });
});
