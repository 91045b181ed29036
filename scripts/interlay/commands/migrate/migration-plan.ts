import { parseIp } from "../../../../plugin/datapath/address.ts";
import { buildLabels } from "../../../../plugin/ipam/records/address-labels.ts";
import { toObjectName } from "../../../../plugin/ipam/pool/object-name.ts";
import { GROUP_VERSION } from "../../../../plugin/kubernetes/objects.ts";

/** An object of Interlay that a migration creates. */
export interface MigratedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: object;
}

/** Result of a conversion. */
export interface MigrationPlan {
  readonly objects: readonly MigratedObject[];
  /** One sentence for each setting that is left out, and for each manual step. */
  readonly notes: readonly string[];
}

/** A NIC of a pod, and its addresses. */
export interface PodInterface {
  readonly ifname: string;
  readonly addresses: readonly string[];
}

/** An existing pod. */
interface ExistingPod {
  readonly uid: string;
  readonly node: string;
  /** Its controller: a StatefulSet's next pod gets the address, too. */
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string } | undefined;
  /** NICs that Multus reports, with their addresses. */
  readonly interfaces?: readonly PodInterface[];
}
/** Existing pods by `NAMESPACE/NAME`. */
export type ExistingPods = ReadonlyMap<string, ExistingPod>;

/** An address that the other solution has assigned to a pod. */
export interface ForeignAllocation {
  readonly address: string;
  /** `NAMESPACE/NAME` */
  readonly pod: string;
  /** Undefined: the other solution does not record it. */
  readonly podUid?: string | undefined;
  readonly containerId: string;
  readonly ifname: string;
}

/** Returns an object of Interlay. */
export function createObject(kind: string, name: string, spec: object): MigratedObject {
  return { apiVersion: GROUP_VERSION, kind, metadata: { name }, spec };
}

/**
 * Converts allocations to UnderlayAddress objects, so that no other pod gets these addresses while their pods run.
 * Those of pods that do not exist any more become notes: their addresses are free.
 */
export function convertAllocations(
  pool: string,
  allocations: readonly ForeignAllocation[],
  pods: ExistingPods,
): MigrationPlan {
  const objects: MigratedObject[] = [];
  const notes: string[] = [];
  for (const { address, pod, podUid, containerId, ifname } of allocations) {
    const existingPod = pods.get(pod);
    if (existingPod === undefined || (podUid !== undefined && podUid !== existingPod.uid)) {
      notes.push(`${address}: its pod ${pod} does not exist any more, so the address becomes free.`);
      continue;
    }
    const [namespace = "", name = ""] = pod.split("/");
    const holder = { namespace, name, uid: existingPod.uid };
    const owner = existingPod.owner === undefined ? {} : { owner: existingPod.owner };
    const spec = { address, pool, node: existingPod.node, containerId, ifname, network: "", pod: holder, ...owner };
    const object = createObject("UnderlayAddress", toObjectName(parseIp(address)), spec);
    objects.push({ ...object, metadata: { ...object.metadata, labels: buildLabels(spec) } });
  }
  return { objects, notes };
}

/** Joins plans, in their order. */
export function joinPlans(plans: readonly MigrationPlan[]): MigrationPlan {
  return { objects: plans.flatMap(({ objects }) => objects), notes: plans.flatMap(({ notes }) => notes) };
}
