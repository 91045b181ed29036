import { CustomObjectsApi, type KubeConfig, type V1DaemonSet } from "@kubernetes/client-node";
import { getStatusCode } from "../../kubernetes/status-code.ts";

/** Returns a default for an object that does not exist (404) or may not be read (403). Throws for all other errors. */
export async function defaultIfUnavailable<T, U>(request: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await request;
  } catch (error) {
    const code = getStatusCode(error);
    if (code === 404 || code === 403) return otherwise;
    throw error;
  }
}

/** Lists custom objects of all namespaces; an empty list if the kind is unavailable. */
export function listCustomObjects(
  config: KubeConfig,
  group: string,
  version: string,
  plural: string,
): Promise<unknown> {
  const api = config.makeApiClient(CustomObjectsApi);
  return defaultIfUnavailable(api.listClusterCustomObject({ group, version, plural }), { items: [] });
}

/** Returns the first DaemonSet whose name matches. */
export function findDaemonSet(
  sets: readonly V1DaemonSet[],
  matches: (name: string) => boolean,
): V1DaemonSet | undefined {
  return sets.find(({ metadata }) => matches(metadata?.name ?? ""));
}

/** Returns the image of a DaemonSet's first container. */
export function getImage(set: V1DaemonSet | undefined): string | undefined {
  return set?.spec?.template.spec?.containers[0]?.image;
}
