import { z } from "zod";
import type { KubeClient, Resource } from "../../kubernetes/kube-client.ts";
import { describeInvalid } from "../../kubernetes/invalid-objects.ts";
import { buildKey, objectMeta } from "../../kubernetes/object-meta.ts";
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
  /** One line for each object that was skipped. */
  readonly invalid: readonly string[];
}

const PAGE = "500";
const page = z.object({
  metadata: z.object({ continue: z.string().optional() }).default({}),
  items: z.array(z.unknown()).nullable(),
});

/** Reads all pools, addresses and pods. @throws if the API server does not answer */
export async function observeClusterAddresses(kube: KubeClient): Promise<ClusterAddresses> {
  // Addresses first: then every address's pod is in the later list, even if both are new.
  const invalid: string[] = [];
  const list = <T>(resource: Resource, schema: z.ZodType<T>) => listValid(kube, resource, schema, invalid);
  const addresses = await list(RESOURCE.underlayAddresses, underlayAddress);
  const [pools, pods] = await Promise.all([list(RESOURCE.underlayPools, underlayPool), list(RESOURCE.pods, podObject)]);
  return { addresses, pools, pods, invalid };
}

const named = z.object({ metadata: objectMeta });

/** @param invalid receives a line for each object that the schema rejects */
async function listValid<T>(
  kube: KubeClient,
  resource: Resource,
  schema: z.ZodType<T>,
  invalid: string[],
): Promise<readonly T[]> {
  const items: T[] = [];
  for (let next = ""; ;) {
    const { metadata, ...response } = page.parse(
      await kube.list(resource, { limit: PAGE, ...(next === "" ? {} : { continue: next }) }),
    );
    for (const item of response.items ?? []) {
      const parsed = schema.safeParse(item);
      if (parsed.success) items.push(parsed.data);
      else invalid.push(`${resource.plural} ${buildKey(named.parse(item).metadata)}: ${describeInvalid(parsed.error)}`);
    }
    next = metadata.continue ?? "";
    if (next === "") return items;
  }
}
