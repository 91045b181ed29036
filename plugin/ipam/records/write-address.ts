import { type KubeClient } from "../../kubernetes/kube-client.ts";
import { hasStatus } from "../../kubernetes/kube-error.ts";
import {
  GROUP_VERSION,
  RESOURCE,
  type UnderlayAddressObject,
  type UnderlayAddressSpec,
} from "../../kubernetes/objects.ts";
import { buildLabels } from "./address-labels.ts";
import { buildWaitingAnnotations } from "./waiting-calls.ts";

const TYPE = { apiVersion: GROUP_VERSION, kind: "UnderlayAddress" } as const;

/**
 * Creates an UnderlayAddress with its labels.
 *
 * @param waiting calls of its node that wait for an address of the same block
 * @returns the answer of the API server; undefined if the name exists
 */
export async function createAddress(
  kube: Pick<KubeClient, "create">,
  name: string,
  spec: UnderlayAddressSpec,
  waiting = 0,
): Promise<unknown> {
  try {
    const metadata = { name, labels: buildLabels(spec), annotations: buildWaitingAnnotations(waiting) };
    return await kube.create(RESOURCE.underlayAddresses, { ...TYPE, metadata, spec });
  } catch (error) {
    if (hasStatus(error, 409)) return undefined;
    throw error;
  }
}

/**
 * Replaces the specification of an UnderlayAddress, and its labels.
 *
 * @returns the answer of the API server; undefined if the object was changed or deleted since it was read
 */
export async function replaceAddress(
  kube: Pick<KubeClient, "replace">,
  object: UnderlayAddressObject,
  spec: UnderlayAddressSpec,
): Promise<unknown> {
  const { name, uid, resourceVersion } = object.metadata;
  const metadata = { name, uid, resourceVersion, labels: { ...object.metadata.labels, ...buildLabels(spec) } };
  try {
    return await kube.replace(RESOURCE.underlayAddresses, name, { ...TYPE, metadata, spec });
  } catch (error) {
    if (hasStatus(error, 404, 409)) return undefined;
    throw error;
  }
}
