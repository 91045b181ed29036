import { KubeError } from "../kubernetes/kube-error.ts";
import type {
  PodObject,
  UnderlayAddressObject,
  UnderlayAddressSpec,
  UnderlayPoolObject,
} from "../kubernetes/objects.ts";
import { underlayPool } from "../kubernetes/objects.ts";
import { planSets, type SetRequest } from "../ipam/sets/plan-sets.ts";
import { parseIp } from "../datapath/address.ts";
import { getBlockName } from "../ipam/pool/address-blocks.ts";
import { toObjectName } from "../ipam/pool/object-name.ts";
import { hashWorkload, type WorkloadReference } from "../ipam/annotations/workload.ts";
import { buildLabels, selectNode } from "../ipam/records/address-labels.ts";
import type { AddressStore } from "../ipam/records/address-store.ts";
import { buildWaitingAnnotations } from "../ipam/records/waiting-calls.ts";

export const STATEFUL_SET = { kind: "StatefulSet", name: "web", uid: "set-1", controller: true };

/** In-memory API server with addresses, for tests. It checks each write like the real one. */
export class AddressCluster {
  readonly addresses = new Map<string, UnderlayAddressObject>();
  readonly pods = new Map<string, PodObject>();
  readonly pools: UnderlayPoolObject[] = [];
  readonly namespaceAnnotations = new Map<string, Readonly<Record<string, string>>>();
  now = 1_000_000;
  #version = 1;
  #uid = 0;

  /** Adds a pool. */
  pool(name: string, spec: object): this {
    const metadata = { name, uid: name, creationTimestamp: "2026-01-01T00:00:00Z" };
    this.pools.push(underlayPool.parse({ metadata, spec: { subnet: "10.7.0.0/16", ...spec } }));
    return this;
  }

  uid(): string {
    return `uid-${++this.#uid}`;
  }

  /** Creates and removes addresses of fixed sets, as the leader does. Sets that are not requested are removed. */
  resizeSets(requests: readonly SetRequest[]): void {
    const plan = planSets(requests, [...this.addresses.values()], () => false);
    for (const { metadata } of plan.remove) this.addresses.delete(metadata.name);
    for (const spec of plan.create) this.write(toObjectName(parseIp(spec.address)), spec);
  }

  write(
    name: string,
    spec: UnderlayAddressSpec,
    before?: UnderlayAddressObject,
    annotations: Readonly<Record<string, string>> = {},
  ): UnderlayAddressObject {
    const object: UnderlayAddressObject = {
      metadata: {
        name,
        uid: before?.metadata.uid ?? this.uid(),
        resourceVersion: String(++this.#version),
        generation: 0,
        creationTimestamp: before?.metadata.creationTimestamp ?? new Date(this.now).toISOString(),
        labels: buildLabels(spec),
        annotations,
        ownerReferences: [],
      },
      spec,
    };
    this.addresses.set(name, object);
    return object;
  }

  /** Takes the labels from all addresses, as an earlier version wrote them. */
  removeLabels(): void {
    for (const [name, { metadata, spec }] of this.addresses)
      this.addresses.set(name, { metadata: { ...metadata, labels: {} }, spec });
  }
}

/** The cache of one node's agent; it is stale until `catchUp` is called. */
export class NodeStore implements AddressStore {
  readonly node: string;
  partitioned = false;
  /** The next write succeeds, but its response is lost. */
  losesAnswer = false;
  readonly #scope: "node" | "cluster";
  #cluster: AddressCluster;
  #seen = new Map<string, UnderlayAddressObject>();
  #pods = new Map<string, PodObject>();

  constructor(cluster: AddressCluster, node: string, scope: "node" | "cluster" = "node") {
    this.node = node;
    this.#scope = scope;
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

  #answer(): void {
    if (!this.losesAnswer) return;
    this.losesAnswer = false;
    throw new Error("socket hang up");
  }

  isSynced = (): boolean => true;
  getNodeLabels = () => ({});
  readNamespaceMetadata = async (name: string) => {
    await Promise.resolve();
    this.#ask();
    return { labels: {}, annotations: this.#cluster.namespaceAnnotations.get(name) ?? {} };
  };
  listPools = () => this.#cluster.pools;
  getAddress = (name: string) => {
    const object = this.#seen.get(name);
    return object !== undefined && this.#isFollowed(object) ? object : undefined;
  };
  listAddresses = () => [...this.#seen.values()].filter((object) => this.#isFollowed(object));

  /** An agent follows the addresses with the label of its node, the controller all. */
  #isFollowed({ metadata: { labels }, spec }: UnderlayAddressObject): boolean {
    if (this.#scope === "cluster") return true;
    const hasLabel = Object.entries(labels).some(([key, value]) => `${key}=${value}` === selectNode(this.node));
    return hasLabel && spec.node === this.node;
  }

  async readAddress(name: string) {
    await Promise.resolve();
    this.#ask();
    return this.#cluster.addresses.get(name);
  }

  async openBlock(block: string) {
    await Promise.resolve();
    this.#ask();
    return {
      get: (name: string) => this.#seen.get(name),
      values: () => [...this.#seen.values()].filter((object) => findBlockName(object) === block),
    };
  }
  getCachedPod = (namespace: string, name: string) => this.#pods.get(`${namespace}/${name}`);

  async findPod(namespace: string, name: string, uid: string): Promise<PodObject | undefined> {
    const cachedPod = this.getCachedPod(namespace, name);
    if (cachedPod?.metadata.uid === uid) return cachedPod;
    await Promise.resolve();
    this.#ask();
    return this.#cluster.pods.get(`${namespace}/${name}`);
  }

  async listPodAddresses(namespace: string, podName: string) {
    await Promise.resolve();
    this.#ask();
    return [...this.#cluster.addresses.values()].filter(
      ({ spec }) => spec.pod.namespace === namespace && spec.pod.name === podName,
    );
  }

  async listSetMembers(workload: WorkloadReference) {
    await Promise.resolve();
    this.#ask();
    const key = hashWorkload(workload);
    return [...this.#cluster.addresses.values()].filter(({ spec }) => spec.set && hashWorkload(spec.set) === key);
  }

  async createAddress(name: string, spec: UnderlayAddressSpec, waiting = 0) {
    await Promise.resolve();
    this.#ask();
    if (this.#cluster.addresses.has(name)) return undefined;
    const object = this.#cluster.write(name, spec, undefined, buildWaitingAnnotations(waiting));
    this.#answer();
    this.#seen.set(name, object);
    return object;
  }

  async replaceAddress(object: UnderlayAddressObject, spec: UnderlayAddressSpec) {
    await Promise.resolve();
    this.#ask();
    const { name, resourceVersion } = object.metadata;
    const current = this.#cluster.addresses.get(name);
    if (current?.metadata.resourceVersion !== resourceVersion) return undefined;
    const next = this.#cluster.write(name, spec, current);
    this.#answer();
    this.#seen.set(name, next);
    return next;
  }

  async deleteAddress({ metadata }: UnderlayAddressObject) {
    await Promise.resolve();
    this.#ask();
    if (this.#cluster.addresses.get(metadata.name)?.metadata.resourceVersion !== metadata.resourceVersion) return false;
    this.#cluster.addresses.delete(metadata.name);
    this.#answer();
    this.#seen.delete(metadata.name);
    return true;
  }

  /** Reads an object from the API server, for the reclaimer. */
  async find({ plural, namespace = "" }: { readonly plural: string; readonly namespace?: string }, name: string) {
    await Promise.resolve();
    this.#ask();
    if (plural === "statefulsets") return { metadata: { uid: STATEFUL_SET.uid }, spec: { replicas: 2 } };
    if (plural === "pods") return this.#cluster.pods.get(`${namespace}/${name}`);
    throw new KubeError(404, plural);
  }
}

const blockNames = new WeakMap<UnderlayAddressObject, string>();

/** Reads an object's block, whose computation would take most of a test's time, once. */
function findBlockName(object: UnderlayAddressObject): string {
  const name = blockNames.get(object) ?? getBlockName(parseIp(object.spec.address));
  blockNames.set(object, name);
  return name;
}
