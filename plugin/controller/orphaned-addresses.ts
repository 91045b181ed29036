import type { KubeClient } from "../kubernetes/kube-client.ts";
import { replaceAddress } from "../ipam/records/write-address.ts";
import { RESOURCE, underlayAddress, type UnderlayAddressObject } from "../kubernetes/objects.ts";
import type { ReclaimRecords, ReclaimStore } from "../ipam/reclaim/address-reclaimer.ts";
import type { ControllerCache } from "./controller-cache.ts";

/** Lifetime of the index in milliseconds: searching all addresses for each pod would take minutes in a large cluster. */
const INDEX_MS = 5000;

/** Finds addresses by pod; the result is at most INDEX_MS old. */
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
        const podAddresses = this.#index.get(key);
        if (podAddresses === undefined) this.#index.set(key, [object]);
        else podAddresses.push(object);
      }
      this.#builtAt = performance.now();
    }
    return this.#index.get(pod) ?? [];
  }
}

/** Creates the store for the reclaim in the controller, which runs on no node: no address belongs to its own node. */
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
      const replaced = await replaceAddress(kube, object, spec);
      if (replaced === undefined) return undefined;
      cache.underlayAddresses.applyLocalWrite(replaced);
      return underlayAddress.parse(replaced);
    },
    deleteAddress: async ({ metadata: { name, uid, resourceVersion } }: UnderlayAddressObject): Promise<boolean> => {
      const removed = await kube.delete(RESOURCE.underlayAddresses, name, uid, resourceVersion);
      if (removed) cache.underlayAddresses.applyLocalDelete(name, uid);
      return removed;
    },
  };
}

/** Empty records: records of containers exist on nodes only. */
export const NO_RECORDS: ReclaimRecords = { listRecords: () => [], find: () => undefined, remove: () => undefined };
