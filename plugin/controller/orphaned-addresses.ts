import type { KubeClient } from "../kubernetes/kube-client.ts";
import { replaceAddress } from "../ipam/records/write-address.ts";
import { RESOURCE, underlayAddress, type UnderlayAddressObject } from "../kubernetes/objects.ts";
import type { ReclaimRecords, ReclaimStore } from "../ipam/reclaim/address-reclaimer.ts";
import type { ControllerCache } from "./controller-cache.ts";

/** Addresses of the cluster, as the reclaim sees them that runs on no node: none of them is its own. */
export function createClusterStore(
  kube: Pick<KubeClient, "replace" | "delete">,
  cache: Pick<ControllerCache, "underlayAddresses" | "underlayPools" | "nodes">,
): ReclaimStore {
  return {
    node: "",
    isSynced: () => [cache.underlayAddresses, cache.underlayPools, cache.nodes].every(({ state }) => state === "known"),
    listAddresses: () => cache.underlayAddresses.values(),
    listPodAddresses: (namespace, name) =>
      Promise.resolve(
        cache.underlayAddresses
          .values()
          .filter(({ spec }) => spec.pod.namespace === namespace && spec.pod.name === name),
      ),
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
