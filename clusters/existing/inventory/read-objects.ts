import { CustomObjectsApi, type KubeConfig, type V1DaemonSet } from "@kubernetes/client-node";
import { getStatusCode } from "../../kubernetes/status-code.ts";

/**
 * Returns the result of a request, or a fallback.
 *
 * @param fallback result for an object that does not exist (404) or that the user may not read (403)
 * @throws any other error of the request
 */
export async function defaultIfUnavailable<T, U>(request: Promise<T>, fallback: U): Promise<T | U> {
  try {
    return await request;
  } catch (error) {
    const code = getStatusCode(error);
    if (code === 404 || code === 403) return fallback;
    throw error;
  }
}

/** Lists custom objects of all namespaces. The list is empty if the kind does not exist or the user may not read it. */
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
  daemonSets: readonly V1DaemonSet[],
  matches: (name: string) => boolean,
): V1DaemonSet | undefined {
  return daemonSets.find(({ metadata }) => matches(metadata?.name ?? ""));
}

/** Returns the image of a DaemonSet's first container. */
export function getImage(daemonSet: V1DaemonSet | undefined): string | undefined {
  return daemonSet?.spec?.template.spec?.containers[0]?.image;
}
