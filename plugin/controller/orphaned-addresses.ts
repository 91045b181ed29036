import type { KubeClient } from "../kubernetes/kube-client.ts";
import { replaceAddress } from "../ipam/records/write-address.ts";
import { RESOURCE, underlayAddress, type UnderlayAddressObject } from "../kubernetes/objects.ts";
import type { ReclaimRecords, ReclaimStore } from "../ipam/reclaim/address-reclaimer.ts";
import type { ControllerCache } from "./controller-cache.ts";

/** Milliseconds in which an index of all addresses is used: to search them for each pod would take minutes in a large cluster. */
const INDEX_MS = 5000;

/** Finds addresses by their pods, as they were at most five seconds ago. */
class PodIndex {
  readonly #listAddresses: () => readonly UnderlayAddressObject[];
  readonly #index = new Map<string, UnderlayAddressObject[]>();
  #builtAt = Number.NEGATIVE_INFINITY;

  constructor(listAddresses: () => readonly UnderlayAddressObject[]) {
    this.#listAddresses = listAddresses;
  }

  /** @param pod `namespace/name` */
  list(pod: string): readonly UnderlayAddressObject[] {
    if (performance.now() - this.#builtAt > INDEX_MS) {
      this.#index.clear();
      for (const object of this.#listAddresses()) {
        const key = `${object.spec.pod.namespace}/${object.spec.pod.name}`;
        const found = this.#index.get(key);
        if (found === undefined) this.#index.set(key, [object]);
        else found.push(object);
      }
      this.#builtAt = performance.now();
    }
    return this.#index.get(pod) ?? [];
  }
}

/** Addresses of the cluster, as the reclaim sees them that runs on no node: none of them is its own. */
export function createClusterStore(
  kube: Pick<KubeClient, "replace" | "delete">,
  cache: Pick<ControllerCache, "underlayAddresses" | "underlayPools" | "nodes">,
): ReclaimStore {
  const pods = new PodIndex(() => cache.underlayAddresses.values());
  return {
    node: "",
    isSynced: () => [cache.underlayAddresses, cache.underlayPools, cache.nodes].every(({ state }) => state === "known"),
    listAddresses: () => cache.underlayAddresses.values(),
    listPodAddresses: (namespace, name) => Promise.resolve(pods.list(`${namespace}/${name}`)),
    getCachedPod: () => undefined,
    replaceAddress: async (object, spec) => {
      const next = await replaceAddress(kube, object, spec);
      if (next === undefined) return undefined;
      cache.underlayAddresses.applyLocalWrite(next);
      return underlayAddress.parse(next);
    },
    deleteAddress: async ({ metadata: { name, uid, resourceVersion } }: UnderlayAddressObject): Promise<boolean> => {
      const removed = await kube.delete(RESOURCE.underlayAddresses, name, uid, resourceVersion);
      if (removed) cache.underlayAddresses.applyLocalDelete(name, uid);
      return removed;
    },
  };
}

/** Records of containers exist on nodes only. */
export const NO_RECORDS: ReclaimRecords = { listRecords: () => [], find: () => undefined, remove: () => undefined };
