import type { KubeConfig } from "@kubernetes/client-node";
import { KubeClient, type Resource } from "../../plugin/kubernetes/kube-client.ts";
import { API_GROUP, DEPRECATED_VERSION, STORED_VERSION } from "../../plugin/kubernetes/objects.ts";
import { ignoreStatus } from "./status-code.ts";

/** Time for a list: after a change of a CRD, the API server compiles its rules before the first answer. */
const LIST_TIMEOUT_MS = 60_000;

/** Objects of a kind of Interlay. */
interface ServedObjects {
  /** The kind in the newest API version that the cluster serves. */
  readonly resource: Resource;
  readonly list: unknown;
}

/**
 * Lists the objects of a kind of Interlay in the newest API version that the cluster serves: an earlier installation serves only the
 * older one.
 *
 * @param plural name of the kind in paths
 * @returns undefined if the cluster serves the kind in no version
 */
export async function listServedObjects(config: KubeConfig, plural: string): Promise<ServedObjects | undefined> {
  const client = KubeClient.withTimeout(config, LIST_TIMEOUT_MS);
  for (const version of [STORED_VERSION, DEPRECATED_VERSION]) {
    const resource = { api: `/apis/${API_GROUP}/${version}`, plural };
    const list = await client.list(resource).catch(ignoreStatus(404));
    if (list !== undefined) return { resource, list };
  }
  return undefined;
}
