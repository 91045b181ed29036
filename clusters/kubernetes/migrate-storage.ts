import { setTimeout as sleep } from "node:timers/promises";
import pLimit from "p-limit";
import { z } from "zod";
import type { KubeClient, Resource } from "../../plugin/kubernetes/kube-client.ts";
import { hasStatus } from "../../plugin/kubernetes/kube-error.ts";
import { listObjects } from "../../plugin/kubernetes/list-objects.ts";
import { API_GROUP } from "../../plugin/kubernetes/objects.ts";

const DEFINITIONS: Resource = { api: "/apis/apiextensions.k8s.io/v1", plural: "customresourcedefinitions" };
/** Time in which API servers notice a new storage version by a watch; until then they store writes in the former version. */
const PROPAGATION_MS = 3000;
const CONCURRENT_WRITES = 8;

const definition = z.object({
  metadata: z.object({ name: z.string(), resourceVersion: z.string() }),
  spec: z.object({
    group: z.string(),
    names: z.object({ kind: z.string(), plural: z.string() }),
    versions: z.array(z.looseObject({ name: z.string(), storage: z.boolean() })),
  }),
  status: z.object({ storedVersions: z.array(z.string()) }),
});
type Definition = z.infer<typeof definition>;

const storedObject = z.looseObject({ metadata: z.looseObject({ name: z.string(), resourceVersion: z.string() }) });

interface MigrationOptions {
  /** Version in which all objects are stored afterwards. */
  readonly version: string;
  /** Called with each kind whose objects were written, and their number. */
  readonly onKind?: (kind: string, objects: number) => void;
  /** Wait after the change of the storage version, in milliseconds. */
  readonly propagationMs?: number;
}

/**
 * Stores all objects of Interlay in one version of the API: makes it the storage version of the CRDs, writes each object that may be
 * stored in another one, and then removes the other versions from `status.storedVersions`. Does nothing if all are stored so.
 *
 * @throws if a CRD does not serve the version, or the API server rejects an object
 */
export async function migrateStorage(client: KubeClient, options: MigrationOptions): Promise<void> {
  const { version, propagationMs = PROPAGATION_MS } = options;
  const pending = (await listDefinitions(client)).filter((crd) => !isMigrated(crd, version));
  for (const { metadata, spec } of pending)
    if (!spec.versions.some(({ name }) => name === version))
      throw new Error(
        `CustomResourceDefinition ${metadata.name} does not have version ${version}: apply the CRDs of this version first (kubectl apply -f plugin/deploy/chart/crds).`,
      );
  for (const crd of pending) await setStorageVersion(client, crd, version);
  if (pending.length > 0) await sleep(propagationMs);
  for (const { metadata, spec } of pending) {
    const resource = { api: `/apis/${API_GROUP}/${version}`, plural: spec.names.plural };
    const objects = await rewriteObjects(client, resource, spec.names.kind);
    await client.mergePatch(DEFINITIONS, metadata.name, { status: { storedVersions: [version] } }, "status");
    options.onKind?.(spec.names.kind, objects);
  }
}

async function listDefinitions(client: KubeClient): Promise<readonly Definition[]> {
  const definitions: Definition[] = [];
  const add = (item: unknown): void => {
    const parsed = definition.safeParse(item).data;
    if (parsed?.spec.group === API_GROUP) definitions.push(parsed);
  };
  await listObjects(client, DEFINITIONS, {}, { source: "pages", from: undefined }, add);
  return definitions;
}

function isMigrated({ spec, status }: Definition, version: string): boolean {
  return (
    status.storedVersions.every((name) => name === version) &&
    spec.versions.some(({ name, storage }) => storage && name === version)
  );
}

async function setStorageVersion(client: KubeClient, { metadata, spec }: Definition, version: string): Promise<void> {
  if (spec.versions.some(({ name, storage }) => storage && name === version)) return;
  const versions = spec.versions.map((entry) => ({ ...entry, storage: entry.name === version }));
  const { resourceVersion } = metadata;
  await client.mergePatch(DEFINITIONS, metadata.name, { metadata: { resourceVersion }, spec: { versions } });
}

/** Writes every object unchanged, which stores it in the storage version. @returns their number */
async function rewriteObjects(client: KubeClient, resource: Resource, kind: string): Promise<number> {
  const limit = pLimit(CONCURRENT_WRITES);
  const objects: z.infer<typeof storedObject>[] = [];
  await listObjects(client, resource, {}, { source: "pages", from: undefined }, (item) =>
    objects.push(storedObject.parse(item)),
  );
  await limit.map(objects, async (object) => {
    const { name } = object.metadata;
    try {
      await client.replace(resource, name, { ...object, apiVersion: resource.api.slice("/apis/".length), kind });
    } catch (error) {
      // Deleted, or written by another client since the list and so stored in the storage version.
      if (hasStatus(error, 404, 409)) return;
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `Cannot store ${kind} ${name} in ${resource.api.slice("/apis/".length)}: ${reason}. Correct the object, and run this again.`,
        { cause: error },
      );
    }
  });
  return objects.length;
}
