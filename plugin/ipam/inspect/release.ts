import { createInterface } from "node:readline/promises";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { RESOURCE, type UnderlayAddressObject } from "../../kubernetes/objects.ts";
import { parseIp } from "../../datapath/address.ts";
import { describeHolder } from "../allocator/errors.ts";
import type { ClusterAddresses } from "./observe-cluster-addresses.ts";
import { toObjectName } from "../pool/object-name.ts";

/** Asks for confirmation on a terminal. Returns false without one. */
export async function askConfirmation(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}

/** Finds the objects of these addresses. Throws if one does not exist, or if an existing pod has one and `force` is false. */
export function findReleasable(
  { addresses, pods }: ClusterAddresses,
  names: readonly string[],
  force: boolean,
): readonly UnderlayAddressObject[] {
  return names.map((text) => {
    const name = toObjectName(parseIp(text));
    const object = addresses.find(({ metadata }) => metadata.name === name);
    if (object === undefined) throw new Error(`address ${text} is not allocated`);
    const { spec } = object;
    const inUse =
      spec.conflict === undefined &&
      spec.reserve !== true &&
      pods.some(({ metadata }) => metadata.uid === spec.pod.uid);
    if (inUse && !force)
      throw new Error(
        `address ${text} is held by ${describeHolder(object)}, which exists: delete the pod, or add --force (its agent recreates the object while the container runs)`,
      );
    return object;
  });
}

/** Deletes the objects unless they changed since they were read. @returns one line per address */
export async function releaseAddresses(
  kube: KubeClient,
  objects: readonly UnderlayAddressObject[],
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const object of objects) {
    const { name, uid, resourceVersion } = object.metadata;
    const isDeleted = await kube.delete(RESOURCE.underlayAddresses, name, uid, resourceVersion);
    lines.push(
      isDeleted
        ? `${object.spec.address} is free (it was held by ${describeHolder(object)}).`
        : `${object.spec.address} has changed since; not released.`,
    );
  }
  return lines;
}
