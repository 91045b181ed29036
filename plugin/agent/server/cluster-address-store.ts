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
  readonly #view: ClusterCache;
  readonly #blocks: BlockViews;
  readonly #namespaces: NamespaceCache;

  constructor(kube: KubeClient, view: ClusterCache, node: string) {
    this.#kube = kube;
    this.#view = view;
    this.#blocks = new BlockViews(kube);
    this.#namespaces = new NamespaceCache(kube, NAMESPACE_MS);
    this.node = node;
  }

  isSynced(): boolean {
    return this.#view.underlayAddresses.state === "known" && this.#view.underlayPools.state === "known";
  }

  getNodeLabels(): Readonly<Record<string, string>> {
    return this.#view.node.get(this.node)?.metadata.labels ?? {};
  }

  /** Reads the namespace, at most every NAMESPACE_MS; while the API server is unreachable, as it was read last. */
  readNamespaceMetadata(name: string): Promise<ObjectMeta> {
    return this.#namespaces.read(name).catch((error: unknown) => {
      const known = this.#namespaces.getLast(name);
      if (known === undefined || isApiError(error)) throw error;
      return known;
    });
  }

  listPools() {
    return this.#view.underlayPools.values();
  }

  getAddress(name: string): UnderlayAddressObject | undefined {
    return this.#view.underlayAddresses.get(name);
  }

  listAddresses(): readonly UnderlayAddressObject[] {
    return this.#view.underlayAddresses.values();
  }

  /** Reads an address; an invalid object counts as absent: its name is taken, so that no other pod gets the address. */
  async readAddress(name: string): Promise<UnderlayAddressObject | undefined> {
    return underlayAddress.safeParse(await this.#kube.find(RESOURCE.underlayAddresses, name)).data;
  }

  openBlock(block: string): Promise<BlockView> {
    return this.#blocks.open(block);
  }

  getCachedPod(namespace: string, name: string): PodObject | undefined {
    return this.#view.pods.get(`${namespace}/${name}`);
  }

  async findPod(namespace: string, name: string, uid: string): Promise<PodObject | undefined> {
    const followed = this.getCachedPod(namespace, name);
    if (followed !== undefined && followed.metadata.uid === uid) return followed;
    const found = await this.#kube.find(inNamespace(RESOURCE.pods, namespace), name);
    return found === undefined ? undefined : podObject.parse(found);
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

  /** Lists the valid objects. */
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
    const next = await replaceAddress(this.#kube, object, spec);
    return next === undefined ? undefined : this.#applyWrite(next);
  }

  async deleteAddress({ metadata: { name, uid, resourceVersion }, spec }: UnderlayAddressObject): Promise<boolean> {
    const removed = await this.#kube.delete(RESOURCE.underlayAddresses, name, uid, resourceVersion);
    if (!removed) return false;
    this.#view.underlayAddresses.applyLocalDelete(name, uid);
    this.#blocks.applyLocalDelete(getBlockName(parseIp(spec.address)), name, uid);
    return true;
  }

  #applyWrite(answer: unknown): UnderlayAddressObject {
    const object = underlayAddress.parse(answer);
    this.#view.underlayAddresses.applyLocalWrite(answer);
    this.#blocks.applyLocalWrite(getBlockName(parseIp(object.spec.address)), answer);
    return object;
  }
}
