import { setImmediate } from "node:timers/promises";
import { replaceAddress } from "../ipam/records/write-address.ts";
import { hasLabels } from "../ipam/records/address-labels.ts";
import type { KubeClient } from "../kubernetes/kube-client.ts";
import type { UnderlayAddressObject } from "../kubernetes/objects.ts";

/** Greatest number of writes in one pass. */
const MAX_LABELLED = 100;
/** Number of addresses that are checked before the event loop runs: checking all of a large cluster would delay the renewal of the Lease. */
const CHECKED_AT_ONCE = 1000;

/** Objects that have their labels: each version of an object is checked once, because a check computes hashes. */
const checked = new WeakSet<UnderlayAddressObject>();

function isLabelled(object: UnderlayAddressObject): boolean {
  if (checked.has(object)) return true;
  const isComplete = hasLabels(object.metadata.labels, object.spec);
  if (isComplete) checked.add(object);
  return isComplete;
}

/**
 * Adds the labels by which agents select addresses to objects of earlier versions, which do not have them. Until then
 * agents notice that such an address is in use only by a refused write. A concurrently changed object is labelled in the next pass.
 * @returns the number of objects that were labelled
 */
export async function labelAddresses(
  kube: Pick<KubeClient, "replace">,
  addresses: readonly UnderlayAddressObject[],
): Promise<number> {
  const missing: UnderlayAddressObject[] = [];
  for (const [index, object] of addresses.entries()) {
    if (missing.length === MAX_LABELLED) break;
    if (index % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await setImmediate();
    if (!isLabelled(object)) missing.push(object);
  }
  for (const object of missing) await replaceAddress(kube, object, object.spec);
  return missing.length;
}
