import { z } from "zod";
import type { KubeClient, Resource } from "../../kubernetes/kube-client.ts";
import {
  podObject,
  type PodObject,
  RESOURCE,
  underlayAddress,
  type UnderlayAddressObject,
  underlayPool,
  type UnderlayPoolObject,
} from "../../kubernetes/objects.ts";

export interface ClusterAddresses {
  readonly addresses: readonly UnderlayAddressObject[];
  readonly pools: readonly UnderlayPoolObject[];
  readonly pods: readonly PodObject[];
}

const PAGE = "500";
const page = z.object({
  metadata: z.object({ continue: z.string().optional() }).default({}),
  items: z.array(z.unknown()).nullable(),
});

export async function observeClusterAddresses(kube: KubeClient): Promise<ClusterAddresses> {
  // Addresses first: then every address's pod is in the later list, even if both are new.
  const addresses = await all(kube, RESOURCE.underlayAddresses, underlayAddress);
  const [pools, pods] = await Promise.all([
    all(kube, RESOURCE.underlayPools, underlayPool),
    all(kube, RESOURCE.pods, podObject),
  ]);
  return { addresses, pools, pods };
}

async function all<T>(kube: KubeClient, resource: Resource, schema: z.ZodType<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for (let next = ""; ;) {
    const { metadata, ...got } = page.parse(
      await kube.list(resource, { limit: PAGE, ...(next === "" ? {} : { continue: next }) }),
    );
    items.push(...(got.items ?? []).map((item) => schema.parse(item)));
    next = metadata.continue ?? "";
    if (next === "") return items;
  }
}
