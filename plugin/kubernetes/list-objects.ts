import { z } from "zod";
import type { KubeClient, Resource } from "./kube-client.ts";

/**
 * Source of a list. `cache`: the API server's watch cache, in one response, which costs its etcd nothing. `pages`: consistent
 * pages of some hundred objects, for kinds whose list would not fit into memory.
 */
export type ListSource = "cache" | "pages";

const PAGE_SIZE = 500;

const page = z.object({
  metadata: z.object({ resourceVersion: z.string().default(""), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable(),
});

interface ListRange {
  readonly source: ListSource;
  /** Version that the cache must have reached; "0": any. Undefined: a consistent list. */
  readonly from: string | undefined;
}

/**
 * Lists the objects of a kind.
 * @param received called for each object
 * @returns the version from which a watch continues
 */
export async function listObjects(
  kube: KubeClient,
  resource: Resource,
  selection: Readonly<Record<string, string>>,
  { source, from }: ListRange,
  received: (item: unknown) => void,
): Promise<string> {
  const isCached = source === "cache" && from !== undefined;
  let next: string | undefined;
  let version = "";
  do {
    const query = {
      ...selection,
      ...(isCached ? { resourceVersion: from } : source === "pages" ? { limit: String(PAGE_SIZE) } : {}),
      ...(next === undefined ? {} : { continue: next }),
    };
    const { metadata, items } = page.parse(await kube.list(resource, query));
    for (const item of items ?? []) received(item);
    version = metadata.resourceVersion;
    next = metadata.continue === "" ? undefined : metadata.continue;
  } while (next !== undefined);
  return version;
}
