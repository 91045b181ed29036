import { buildLabels, hasLabels } from "../ipam/records/address-labels.ts";
import { hasStatus, type KubeClient } from "../kubernetes/kube-client.ts";
import { RESOURCE, type UnderlayAddressObject } from "../kubernetes/objects.ts";

/** Upper bound of writes of one pass. */
const MAX_LABELLED = 100;

/**
 * Adds the labels by which agents select addresses to objects that do not have them, as earlier versions made them. Until then
 * agents find such addresses in use only by a refused write.
 * @returns the number of objects that were labelled
 */
export async function labelAddresses(
  kube: Pick<KubeClient, "mergePatch">,
  addresses: readonly UnderlayAddressObject[],
): Promise<number> {
  const missing = addresses.filter(({ metadata, spec }) => !hasLabels(metadata.labels, spec)).slice(0, MAX_LABELLED);
  for (const { metadata, spec } of missing)
    try {
      const { name, resourceVersion } = metadata;
      const patch = { metadata: { resourceVersion, labels: buildLabels(spec) } };
      await kube.mergePatch(RESOURCE.underlayAddresses, name, patch);
    } catch (error) {
      if (!hasStatus(error, 404, 409)) throw error; // changed since: the next pass sees it
    }
  return missing.length;
}
