import { createHash } from "node:crypto";
import { parseIp } from "../../datapath/address.ts";
import type { UnderlayAddressSpec } from "../../kubernetes/objects.ts";
import { getBlockName } from "../pool/address-blocks.ts";
import { hashWorkload, type WorkloadReference } from "../annotations/workload.ts";

/** Labels of UnderlayAddresses, by which agents select those that they need. */
const LABEL = {
  node: "interlay.dev/node",
  pool: "interlay.dev/pool",
  pod: "interlay.dev/pod",
  set: "interlay.dev/set",
  block: "interlay.dev/block",
} as const;
/** Label values have room for 63 characters; names of nodes and pods may have 253. */
const LABEL_MAX = 63;
const HASH_LENGTH = 32;

/** Builds the labels by which agents and the controller select UnderlayAddresses. */
export function buildLabels({ address, node, pool, pod, set }: UnderlayAddressSpec): Readonly<Record<string, string>> {
  return {
    [LABEL.node]: toLabelValue(node),
    [LABEL.pool]: toLabelValue(pool),
    [LABEL.pod]: hashText(`${pod.namespace}/${pod.name}`),
    [LABEL.block]: getBlockName(parseIp(address)),
    ...(set === undefined ? {} : { [LABEL.set]: hashWorkload(set) }),
  };
}

/** Reports whether an object has all labels that `buildLabels` gives it: one of an earlier version does not. */
export function hasLabels(labels: Readonly<Record<string, string>>, spec: UnderlayAddressSpec): boolean {
  return Object.entries(buildLabels(spec)).every(([name, value]) => labels[name] === value);
}

/** Returns the selector of a node's addresses. */
export function selectNode(node: string): string {
  return `${LABEL.node}=${toLabelValue(node)}`;
}

/** Returns the selector of the addresses under a pod's name. */
export function selectPod(namespace: string, name: string): string {
  return `${LABEL.pod}=${hashText(`${namespace}/${name}`)}`;
}

/** Returns the selector of the addresses of a workload's set. */
export function selectSet(workload: WorkloadReference): string {
  return `${LABEL.set}=${hashWorkload(workload)}`;
}

/** @param block name of an address block */
export function selectBlock(block: string): string {
  return `${LABEL.block}=${block}`;
}

function toLabelValue(name: string): string {
  return name.length <= LABEL_MAX ? name : hashText(name);
}

function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, HASH_LENGTH);
}
