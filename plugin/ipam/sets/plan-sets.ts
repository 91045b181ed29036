import { type Family, getFamily, type Ip, parseIp } from "../../datapath/address.ts";
import type { UnderlayAddressObject, UnderlayAddressSpec } from "../../kubernetes/objects.ts";
import { toObjectName } from "../pool/object-name.ts";
import { findPool, listPoolFamilies, type Pool } from "../pool/select-pools.ts";
import { hashWorkload, type WorkloadReference } from "../annotations/workload.ts";

/** Set that a workload requests: a number of addresses of each family for each NIC. */
export interface SetRequest {
  readonly workload: WorkloadReference;
  readonly size: number;
  readonly nics: readonly SetNic[];
}

interface SetNic {
  readonly ifname: string;
  readonly network: string;
  /** Pools that the workload's pods may use, preferred first. */
  readonly pools: readonly Pool[];
}

/** Changes that make the sets as requested. */
export interface SetPlan {
  readonly create: readonly UnderlayAddressSpec[];
  readonly remove: readonly UnderlayAddressObject[];
  /** Sets that stay smaller than requested, because their pools have no free address. */
  readonly incomplete: readonly { readonly workload: WorkloadReference; readonly missing: number }[];
}

/**
 * Plans the sets of workloads. An address in use is never removed: it leaves the set after its pod has released it.
 *
 * @param mayExist returns whether a workload that requests no set may still exist unseen: its set is not changed
 */
export function planSets(
  requests: readonly SetRequest[],
  addresses: readonly UnderlayAddressObject[],
  mayExist: (workload: WorkloadReference) => boolean,
): SetPlan {
  const members = groupMembers(addresses);
  const taken = new Set(addresses.map(({ metadata }) => metadata.name));
  const create: UnderlayAddressSpec[] = [];
  const remove: UnderlayAddressObject[] = [];
  const incomplete: { workload: WorkloadReference; missing: number }[] = [];
  for (const { workload, size, nics } of requests) {
    const setMembers = members.get(hashWorkload(workload)) ?? [];
    members.delete(hashWorkload(workload));
    const kept = new Set<UnderlayAddressObject>();
    for (const nic of nics)
      for (const family of listPoolFamilies(nic.pools)) {
        const usable = setMembers.filter((object) => isUsable(object, nic, family));
        const keep = usable.toSorted((a, b) => rankKept(a, size) - rankKept(b, size)).slice(0, size);
        for (const object of keep) kept.add(object);
        let missing = size - usable.length;
        for (; missing > 0; missing--) {
          const spec = pickMember(workload, nic, family, taken);
          if (spec === undefined) break;
          create.push(spec);
        }
        if (missing > 0) incomplete.push({ workload, missing });
      }
    remove.push(...setMembers.filter((object) => !kept.has(object) && isFree(object)));
  }
  for (const unrequested of members.values())
    remove.push(
      ...unrequested.filter((object) => object.spec.set !== undefined && !mayExist(object.spec.set) && isFree(object)),
    );
  return { create, remove, incomplete };
}

/** A free member of a set has no container. */
export function isFree({ spec }: UnderlayAddressObject): boolean {
  return spec.containerId === "" && spec.conflict === undefined;
}

function groupMembers(addresses: readonly UnderlayAddressObject[]): Map<string, UnderlayAddressObject[]> {
  const groups = new Map<string, UnderlayAddressObject[]>();
  for (const object of addresses) {
    if (object.spec.set === undefined) continue;
    const key = hashWorkload(object.spec.set);
    groups.set(key, [...(groups.get(key) ?? []), object]);
  }
  return groups;
}

function isUsable({ spec }: UnderlayAddressObject, nic: SetNic, family: Family): boolean {
  const ip = parseIp(spec.address);
  return (
    spec.conflict === undefined &&
    spec.ifname === nic.ifname &&
    spec.network === nic.network &&
    getFamily(ip) === family &&
    findPool(nic.pools, ip) !== undefined
  );
}

/** Addresses in use stay, then those that a StatefulSet's pod of a small ordinal had, then those that a pod had, then unused ones. */
function rankKept(object: UnderlayAddressObject, size: number): number {
  if (!isFree(object)) return 0;
  const { pod, set } = object.spec;
  if (pod.name === "") return 3;
  const ordinal = set?.kind === "StatefulSet" ? Number(/-(\d+)$/.exec(pod.name)?.[1] ?? Number.NaN) : Number.NaN;
  return ordinal < size ? 1 : 2;
}

function pickMember(
  workload: WorkloadReference,
  { ifname, network, pools }: SetNic,
  family: Family,
  taken: Set<string>,
): UnderlayAddressSpec | undefined {
  for (const pool of pools) {
    if (pool.spaces.free.family !== family) continue;
    const ip: Ip | undefined = pool.spaces.free.findFree((candidate) => taken.has(toObjectName(candidate)));
    if (ip === undefined) continue;
    taken.add(toObjectName(ip));
    const pod = { namespace: "", name: "", uid: "" };
    return { address: ip, pool: pool.name, node: "", containerId: "", ifname, network, pod, set: workload };
  }
  return undefined;
}
