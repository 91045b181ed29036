import { createHash } from "node:crypto";
import type { PodObject, UnderlayAddressSpec } from "../../kubernetes/objects.ts";
import { SET_ANNOTATION } from "./set-size.ts";

/** WorkloadReference that a set belongs to. Its uid is not part of it: a workload that is created again finds its set if that still exists. */
export type WorkloadReference = NonNullable<UnderlayAddressSpec["set"]>;

/** Label of a Deployment's pods; the name of their ReplicaSet ends with its value. */
const TEMPLATE_HASH = "pod-template-hash";

/** Finds the workload of a pod by its controller: Deployment for a ReplicaSet, VirtualMachine for its instance. */
export function findWorkload({ metadata }: PodObject): WorkloadReference | undefined {
  const controller = metadata.ownerReferences.find((reference) => reference.controller === true);
  if (controller === undefined) return undefined;
  const { kind, name } = controller;
  const slash = controller.apiVersion.indexOf("/");
  const group = slash === -1 ? "" : controller.apiVersion.slice(0, slash);
  const namespace = metadata.namespace ?? "";
  const suffix = `-${metadata.labels[TEMPLATE_HASH] ?? ""}`;
  if (kind === "ReplicaSet" && suffix !== "-" && name.endsWith(suffix))
    return { group, kind: "Deployment", namespace, name: name.slice(0, -suffix.length) };
  if (kind === "VirtualMachineInstance") return { group, kind: "VirtualMachine", namespace, name };
  return { group, kind, namespace, name };
}

/** Finds the workload whose set serves a pod; undefined if the pod's template requests no set. */
export function findSet(pod: PodObject): WorkloadReference | undefined {
  return pod.metadata.annotations[SET_ANNOTATION] === undefined ? undefined : findWorkload(pod);
}

/** Describes a workload for people. */
export function describeWorkload({ kind, namespace, name }: WorkloadReference): string {
  return `${kind} ${namespace}/${name}`;
}

/** Returns the value of the label by which the API server finds the addresses of a set. */
export function hashWorkload({ group, kind, namespace, name }: WorkloadReference): string {
  return createHash("sha256").update(`${group}/${kind}/${namespace}/${name}`).digest("hex").slice(0, 32);
}

/** A virtual machine runs in two pods while it migrates; both have its address. */
export function isVirtualMachine({ group, kind }: WorkloadReference): boolean {
  return group === "kubevirt.io" && kind === "VirtualMachine";
}
