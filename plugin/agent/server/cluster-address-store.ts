import { type AddressStore, type BlockView, isApiError } from "../../ipam/records/address-store.ts";
import type { ClusterCache } from "../discovery/cluster-cache.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import {
  inNamespace,
  podObject,
  type PodObject,
  RESOURCE,
  underlayAddress,
  type UnderlayAddressObject,
  type UnderlayAddressSpec,
} from "../../kubernetes/objects.ts";
import { parseIp } from "../../datapath/address.ts";
import { getBlockName } from "../../ipam/pool/address-blocks.ts";
import { selectPod, selectSet } from "../../ipam/records/address-labels.ts";
import { createAddress, replaceAddress } from "../../ipam/records/write-address.ts";
import type { WorkloadReference } from "../../ipam/annotations/workload.ts";
import { BlockViews } from "./block-views.ts";
import { z } from "zod";
import { NamespaceCache } from "../../kubernetes/namespace-cache.ts";
import type { ObjectMeta } from "../../kubernetes/object-meta.ts";

const addressList = z.object({ items: z.array(z.unknown()) });
/** Labels and annotations of a namespace take effect within this time. */
const NAMESPACE_MS = 10_000;

/** Reads the cluster's addresses from informers and writes them to the API server. */
export class ClusterAddressStore implements AddressStore {
  readonly node: string;
  readonly #kube: KubeClient;
  readonly #cache: ClusterCache;
  readonly #blocks: BlockViews;
  readonly #namespaces: NamespaceCache;

  constructor(kube: KubeClient, cache: ClusterCache, node: string) {
    this.#kube = kube;
    this.#cache = cache;
    this.#blocks = new BlockViews(kube);
    this.#namespaces = new NamespaceCache(kube, NAMESPACE_MS);
    this.node = node;
  }

  isSynced(): boolean {
    return this.#cache.underlayAddresses.state === "known" && this.#cache.underlayPools.state === "known";
  }

  getNodeLabels(): Readonly<Record<string, string>> {
    return this.#cache.node.get(this.node)?.metadata.labels ?? {};
  }

  /** Reads a namespace at most every NAMESPACE_MS; returns the last metadata while the API server is unreachable. */
  readNamespaceMetadata(name: string): Promise<ObjectMeta> {
    return this.#namespaces.read(name).catch((error: unknown) => {
      const lastMetadata = this.#namespaces.getLast(name);
      if (lastMetadata === undefined || isApiError(error)) throw error;
      return lastMetadata;
    });
  }

  listPools() {
    return this.#cache.underlayPools.values();
  }

  getAddress(name: string): UnderlayAddressObject | undefined {
    return this.#cache.underlayAddresses.get(name);
  }

  listAddresses(): readonly UnderlayAddressObject[] {
    return this.#cache.underlayAddresses.values();
  }

  /** Reads an address. An invalid object counts as absent, but no other pod gets its address, because its name is in use. */
  async readAddress(name: string): Promise<UnderlayAddressObject | undefined> {
    return underlayAddress.safeParse(await this.#kube.find(RESOURCE.underlayAddresses, name)).data;
  }

  openBlock(block: string): Promise<BlockView> {
    return this.#blocks.open(block);
  }

  getCachedPod(namespace: string, name: string): PodObject | undefined {
    return this.#cache.pods.get(`${namespace}/${name}`);
  }

  async findPod(namespace: string, name: string, uid: string): Promise<PodObject | undefined> {
    const cachedPod = this.getCachedPod(namespace, name);
    if (cachedPod !== undefined && cachedPod.metadata.uid === uid) return cachedPod;
    const pod = await this.#kube.find(inNamespace(RESOURCE.pods, namespace), name);
    return pod === undefined ? undefined : podObject.parse(pod);
  }

  async listPodAddresses(namespace: string, name: string): Promise<readonly UnderlayAddressObject[]> {
    const labelSelector = selectPod(namespace, name);
    const items = await this.#listByLabel(labelSelector);
    return items.filter(({ spec }) => spec.pod.namespace === namespace && spec.pod.name === name);
  }

  async listSetMembers(workload: WorkloadReference): Promise<readonly UnderlayAddressObject[]> {
    const labelSelector = selectSet(workload);
    return this.#listByLabel(labelSelector);
  }

  /** Lists the valid objects with a label. */
  async #listByLabel(labelSelector: string): Promise<readonly UnderlayAddressObject[]> {
    const { items } = addressList.parse(await this.#kube.list(RESOURCE.underlayAddresses, { labelSelector }));
    return items.flatMap((item) => underlayAddress.safeParse(item).data ?? []);
  }

  async createAddress(
    name: string,
    spec: UnderlayAddressSpec,
    waiting?: number,
  ): Promise<UnderlayAddressObject | undefined> {
    const created = await createAddress(this.#kube, name, spec, waiting);
    return created === undefined ? undefined : this.#applyWrite(created);
  }

  async replaceAddress(
    object: UnderlayAddressObject,
    spec: UnderlayAddressSpec,
  ): Promise<UnderlayAddressObject | undefined> {
    const replaced = await replaceAddress(this.#kube, object, spec);
    return replaced === undefined ? undefined : this.#applyWrite(replaced);
  }

  async deleteAddress({ metadata: { name, uid, resourceVersion }, spec }: UnderlayAddressObject): Promise<boolean> {
    const removed = await this.#kube.delete(RESOURCE.underlayAddresses, name, uid, resourceVersion);
    if (!removed) return false;
    this.#cache.underlayAddresses.applyLocalDelete(name, uid);
    this.#blocks.applyLocalDelete(getBlockName(parseIp(spec.address)), name, uid);
    return true;
  }

  #applyWrite(response: unknown): UnderlayAddressObject {
    const object = underlayAddress.parse(response);
    this.#cache.underlayAddresses.applyLocalWrite(response);
    this.#blocks.applyLocalWrite(getBlockName(parseIp(object.spec.address)), response);
    return object;
  }
}
