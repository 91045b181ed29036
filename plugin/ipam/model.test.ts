import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { KubeError } from "../agent/kube.ts";
import {
  podObject,
  type PodObject,
  type UnderlayAddressObject,
  type UnderlayAddressSpec,
  underlayPool,
} from "../agent/objects.ts";
import { Reclaimer } from "../agent/reclaimer.ts";
import { Allocator } from "./allocator.ts";
import { Records } from "./records.ts";
import type { AddressStore } from "./store.ts";

/**
 * Random lives of pods on two nodes: containers made, torn down, torn down twice or never, agents killed, partitions
 * from the API server, watches that lag, pods re-created under their name. At every step no two containers that run
 * have the same address; at the end nothing is held by nobody.
 */
const NODES = ["n1", "n2"] as const;
const NAMES = ["web-0", "a", "b"] as const;
const SIZE = 4;
const DELAYS = { afterPod: 1000, withoutNode: 60_000, young: 500 };
const SET = { kind: "StatefulSet", name: "web", uid: "set-1", controller: true };

interface Container {
  readonly id: string;
  readonly pod: PodObject;
  readonly node: number;
  readonly netns: string;
  address: string | undefined;
}

/** The API server: every write is checked as the real one does. */
class Cluster {
  readonly addresses = new Map<string, UnderlayAddressObject>();
  readonly pods = new Map<string, PodObject>();
  readonly pool = underlayPool.parse({
    metadata: { name: "p", uid: "p", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { subnet: "10.7.0.0/16", ranges: [`10.7.200.1-10.7.200.${SIZE}`] },
  });
  now = 1_000_000;
  #version = 1;
  #uid = 0;

  uid(): string {
    return `uid-${++this.#uid}`;
  }

  write(name: string, spec: UnderlayAddressSpec, before?: UnderlayAddressObject): UnderlayAddressObject {
    const object: UnderlayAddressObject = {
      metadata: {
        name,
        uid: before?.metadata.uid ?? this.uid(),
        resourceVersion: String(++this.#version),
        generation: 0,
        creationTimestamp: before?.metadata.creationTimestamp ?? new Date(this.now).toISOString(),
        labels: {},
        annotations: {},
        ownerReferences: [],
      },
      spec,
    };
    this.addresses.set(name, object);
    return object;
  }
}

/** What one node's agent sees: late, unless `catchUp` was called. */
class NodeStore implements AddressStore {
  readonly node: string;
  partitioned = false;
  #cluster: Cluster;
  #seen = new Map<string, UnderlayAddressObject>();
  #pods = new Map<string, PodObject>();

  constructor(cluster: Cluster, node: string) {
    this.node = node;
    this.#cluster = cluster;
  }

  catchUp(): void {
    if (this.partitioned) return;
    this.#seen = new Map(this.#cluster.addresses);
    this.#pods = new Map([...this.#cluster.pods].filter(([, pod]) => pod.spec.nodeName === this.node));
  }

  #ask(): void {
    if (this.partitioned) throw new Error("connection refused");
  }

  known = (): boolean => true;
  nodeLabels = () => ({});
  namespaceLabels = () => Promise.resolve({});
  pools = () => [this.#cluster.pool];
  address = (name: string) => this.#seen.get(name);
  addresses = () => [...this.#seen.values()];
  followedPod = (namespace: string, name: string) => this.#pods.get(`${namespace}/${name}`);

  async pod(namespace: string, name: string, uid: string): Promise<PodObject | undefined> {
    const followed = this.followedPod(namespace, name);
    if (followed?.metadata.uid === uid) return followed;
    await Promise.resolve();
    this.#ask();
    return this.#cluster.pods.get(`${namespace}/${name}`);
  }

  async addressesOf(namespace: string, podName: string) {
    await Promise.resolve();
    this.#ask();
    return [...this.#cluster.addresses.values()].filter(
      ({ spec }) => spec.pod.namespace === namespace && spec.pod.name === podName,
    );
  }

  async create(name: string, spec: UnderlayAddressSpec) {
    await Promise.resolve();
    this.#ask();
    if (this.#cluster.addresses.has(name)) return undefined;
    const object = this.#cluster.write(name, spec);
    this.#seen.set(name, object);
    return object;
  }

  async replace(object: UnderlayAddressObject, spec: UnderlayAddressSpec) {
    await Promise.resolve();
    this.#ask();
    const { name, resourceVersion } = object.metadata;
    const there = this.#cluster.addresses.get(name);
    if (there?.metadata.resourceVersion !== resourceVersion) return undefined;
    const next = this.#cluster.write(name, spec, there);
    this.#seen.set(name, next);
    return next;
  }

  async remove({ metadata }: UnderlayAddressObject) {
    await Promise.resolve();
    this.#ask();
    if (this.#cluster.addresses.get(metadata.name)?.metadata.resourceVersion !== metadata.resourceVersion) return false;
    this.#cluster.addresses.delete(metadata.name);
    this.#seen.delete(metadata.name);
    return true;
  }

  /** What the reclaimer asks the API server itself. */
  async find({ plural, namespace = "" }: { readonly plural: string; readonly namespace?: string }, name: string) {
    await Promise.resolve();
    this.#ask();
    if (plural === "statefulsets") return { metadata: { uid: SET.uid }, spec: { replicas: 2 } };
    if (plural === "pods") return this.#cluster.pods.get(`${namespace}/${name}`);
    throw new KubeError(404, plural);
  }
}

type Op =
  | { readonly op: "pod"; readonly name: number; readonly node: number }
  | { readonly op: "delete"; readonly name: number; readonly force: boolean }
  | { readonly op: "add"; readonly name: number }
  | { readonly op: "del"; readonly container: number; readonly netnsStays: boolean }
  | { readonly op: "delNode"; readonly container: number }
  | { readonly op: "crash"; readonly node: number }
  | { readonly op: "partition"; readonly node: number; readonly on: boolean }
  | { readonly op: "catchUp"; readonly node: number }
  | { readonly op: "reclaim"; readonly node: number; readonly pass: number };

const node = fc.nat({ max: NODES.length - 1 });
const name = fc.nat({ max: NAMES.length - 1 });
const container = fc.nat({ max: 2 });
const anyOp: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant("pod" as const), name, node }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("delete" as const), name, force: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ op: fc.constant("add" as const), name }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("del" as const), container, netnsStays: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("delNode" as const), container }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("crash" as const), node }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("partition" as const), node, on: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("catchUp" as const), node }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("reclaim" as const), node, pass: fc.nat({ max: 5000 }) }) },
);

class Run {
  readonly cluster = new Cluster();
  readonly directory = mkdtempSync(join(tmpdir(), "interlay-ipam-"));
  readonly stores = NODES.map((n) => new NodeStore(this.cluster, n));
  readonly agents = this.stores.map((_, i) => this.#agent(i));
  readonly containers: Container[] = [];
  /** StatefulSet pod -> the address it was given first. */
  readonly sticky = new Map<string, string>();
  #containerIds = 0;

  #agent(i: number): { allocator: Allocator; reclaimer: Reclaimer } {
    const store = this.stores[i];
    assert.ok(store);
    const records = new Records(join(this.directory, NODES[i] ?? ""));
    return {
      allocator: new Allocator(store, records, () => 0.3),
      reclaimer: new Reclaimer(store, store, records),
    };
  }

  async step(op: Op): Promise<void> {
    switch (op.op) {
      case "pod":
        this.#makePod(NAMES[op.name] ?? "", NODES[op.node] ?? "");
        break;
      case "delete":
        this.#deletePod(NAMES[op.name] ?? "", op.force);
        break;
      case "add":
        await this.#add(NAMES[op.name] ?? "");
        break;
      case "del":
        await this.#del(op.container, op.netnsStays);
        break;
      case "delNode": {
        // Gone without DEL, as in a reboot.
        const [gone] = this.containers.splice(op.container, 1);
        if (gone !== undefined) rmSync(gone.netns);
        break;
      }
      case "crash":
        this.agents[op.node] = this.#agent(op.node);
        break;
      case "partition": {
        const store = this.stores[op.node];
        if (store !== undefined) store.partitioned = op.on;
        break;
      }
      case "catchUp":
        this.stores[op.node]?.catchUp();
        break;
      case "reclaim":
        this.cluster.now += op.pass;
        this.stores[op.node]?.catchUp();
        await this.#reclaim(op.node);
        break;
    }
    this.#noDoubles();
  }

  async #reclaim(i: number): Promise<void> {
    await this.agents[i]?.allocator.sync().catch(() => undefined);
    await this.agents[i]?.reclaimer.pass(DELAYS, undefined, this.cluster.now).catch(() => undefined);
  }

  #makePod(podName: string, nodeName: string): void {
    if (this.cluster.pods.has(`default/${podName}`)) return;
    const pod = podObject.parse({
      metadata: {
        name: podName,
        namespace: "default",
        uid: this.cluster.uid(),
        ownerReferences: podName.startsWith("web-") ? [SET] : [],
      },
      spec: { nodeName },
    });
    this.cluster.pods.set(`default/${podName}`, pod);
  }

  /** The kubelet lets a pod's object go when its containers are gone; force does not wait for that. */
  #deletePod(podName: string, force: boolean): void {
    const pod = this.cluster.pods.get(`default/${podName}`);
    if (pod === undefined) return;
    // Of a StatefulSet's pods there is one at most: who forces one away says that it runs no more.
    const mayForce = force && !podName.startsWith("web-");
    if (!mayForce && this.containers.some((c) => c.pod.metadata.uid === pod.metadata.uid)) return;
    this.cluster.pods.delete(`default/${podName}`);
  }

  async #add(podName: string): Promise<void> {
    const pod = this.cluster.pods.get(`default/${podName}`);
    const i = NODES.findIndex((n) => n === pod?.spec.nodeName);
    if (pod === undefined || this.containers.some((c) => c.pod.metadata.uid === pod.metadata.uid)) return;
    const id = `c${++this.#containerIds}`;
    const netns = join(this.directory, id);
    const request = {
      containerId: id,
      ifname: "eth0",
      network: "underlay",
      netns,
      pools: [],
      pod: { namespace: "default", name: podName, uid: pod.metadata.uid },
    };
    try {
      const answer = await this.agents[i]?.allocator.allocate(request);
      const address = answer?.ips[0]?.address.split("/")[0];
      assert.ok(address !== undefined);
      writeFileSync(netns, "");
      this.containers.push({ id, pod, node: i, netns, address });
      if (podName.startsWith("web-")) {
        const before = this.sticky.get(podName);
        assert.equal(address, before ?? address, `${podName} had ${before ?? ""}`);
        this.sticky.set(podName, address);
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      // Refused or unreachable: the kubelet tries again.
    }
  }

  async #del(index: number, lost: boolean): Promise<void> {
    const gone = this.containers[index];
    if (gone === undefined) return;
    this.containers.splice(index, 1);
    rmSync(gone.netns);
    // A DEL that is lost is never made up for.
    if (!lost) await this.agents[gone.node]?.allocator.release({ containerId: gone.id, ifname: "eth0" });
  }

  #noDoubles(): void {
    const held = this.containers.map(({ address }) => address);
    assert.equal(new Set(held).size, held.length, `the same address twice: ${held.join(", ")}`);
  }

  /** Everything heals and time passes: what is left is what runs, and what StatefulSets keep. */
  async settle(): Promise<void> {
    for (const store of this.stores) store.partitioned = false;
    for (let round = 0; round < 4; round++)
      for (const [i, store] of this.stores.entries()) {
        store.catchUp();
        this.cluster.now += 2000;
        await this.#reclaim(i);
      }
    const live = new Set(
      [...this.cluster.pods.values(), ...this.containers.map(({ pod }) => pod)].map((p) => p.metadata.uid),
    );
    for (const { spec } of this.cluster.addresses.values())
      assert.ok(
        live.has(spec.pod.uid) || spec.owner?.kind === "StatefulSet",
        `${spec.address} is held by ${spec.pod.name}, which is gone`,
      );
    for (const { address, pod, id } of this.containers) {
      const object = this.cluster.addresses.get(address ?? "");
      assert.equal(object?.spec.pod.uid, pod.metadata.uid, `${address ?? ""} of ${id} is not its own any more`);
    }
  }

  close(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

describe("addresses, whatever happens", function () {
  this.timeout(120_000);

  it("are never given twice, never lost, and stay with a StatefulSet's pod", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyOp, { minLength: 10, maxLength: 80, size: "max" }), async (ops) => {
        const run = new Run();
        try {
          for (const op of ops) await run.step(op);
          await run.settle();
        } finally {
          run.close();
        }
      }),
      { numRuns: Number(process.env["MODEL_RUNS"] ?? 300) },
    );
  });

  it("are given to ten nodes at once from a pool that has exactly enough", async () => {
    const cluster = new Cluster();
    const directory = mkdtempSync(join(tmpdir(), "interlay-ipam-"));
    try {
      const stores = Array.from({ length: SIZE }, (_, i) => new NodeStore(cluster, `n${i}`));
      const answers = await Promise.all(
        stores.map(async (store, i) => {
          const pod = podObject.parse({
            metadata: { name: `p${i}`, namespace: "default", uid: `u${i}` },
            spec: { nodeName: store.node },
          });
          cluster.pods.set(`default/p${i}`, pod);
          store.catchUp();
          const allocator = new Allocator(store, new Records(join(directory, store.node)));
          const answer = await allocator.allocate({
            containerId: `c${i}`,
            ifname: "eth0",
            network: "underlay",
            netns: "",
            pools: [],
            pod: { namespace: "default", name: `p${i}`, uid: `u${i}` },
          });
          return answer.ips[0]?.address;
        }),
      );
      assert.equal(new Set(answers).size, SIZE);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
