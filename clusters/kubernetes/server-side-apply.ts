import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { KubeClient } from "../../plugin/kubernetes/kube-client.ts";
import { hasStatus, KubeError } from "../../plugin/kubernetes/kube-error.ts";

const FIELD_MANAGER = "interlay";
const POLL_MS = 300;

/** An object of a manifest. */
export interface AppliedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

const resourceList = z.object({
  resources: z.array(z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean() })),
});

/**
 * Applies an object by server-side apply, as soon as its kind is served. Takes over fields that another manager set.
 * The object is sent as it is: the client library's classes would leave out fields of CRDs such as
 * `x-kubernetes-validations`.
 *
 * @param deadline time in milliseconds since 1970 until which the kind must be served and the API server must respond: it compiles
 * the rules of a CRD first, which takes seconds
 */
export async function applyObject(config: KubeConfig, object: AppliedObject, deadline: number): Promise<void> {
  const client = KubeClient.withTimeout(config, deadline - Date.now());
  for (;;)
    try {
      const path = await findPath(client, object);
      const query = new URLSearchParams({ fieldManager: FIELD_MANAGER, force: "true" }).toString();
      await client.request("PATCH", `${path}?${query}`, object, "application/apply-patch+yaml");
      return;
    } catch (error) {
      if (!hasStatus(error, 404) || Date.now() > deadline) throw error;
      await sleep(POLL_MS);
    }
}

/** Returns the path of an object. @throws a KubeError with status 404 if its group is not served */
async function findPath(client: KubeClient, { apiVersion, kind, metadata }: AppliedObject): Promise<string> {
  const api = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { resources } = resourceList.parse(await client.request("GET", api));
  const resource = resources.find((candidate) => candidate.kind === kind && !candidate.name.includes("/"));
  if (resource === undefined) throw new KubeError(404, `${apiVersion} has no kind ${kind}`);
  const namespace = resource.namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
  return `${api}${namespace}/${resource.name}/${metadata.name}`;
}
