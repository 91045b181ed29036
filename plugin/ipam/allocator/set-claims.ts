import { CniError, CODE } from "../../cni/error.ts";
import { getFamily, parseIp } from "../../datapath/address.ts";
import type { PodObject, UnderlayAddressObject } from "../../kubernetes/objects.ts";
import type { AddressRequest } from "./existing-claims.ts";
import { describeNic } from "./errors.ts";
import { findPool } from "../pool/select-pools.ts";
import type { AddressStore } from "../records/address-store.ts";
import { type Allocation, toAddressSpec } from "../records/allocation.ts";
import type { IpamRequest } from "../records/ipam-request.ts";
import { isFree } from "../sets/plan-sets.ts";
import { SET_ANNOTATION } from "../annotations/set-size.ts";
import { describeWorkload, findSet, isVirtualMachine } from "../annotations/workload.ts";

/** Attempts in which other pods of the workload were faster with every free address. */
const MAX_ATTEMPTS = 5;

/** Takes an address of the set of a pod's workload; such a pod never gets another address. */
export class SetClaims {
  readonly #store: AddressStore;
  readonly #random: () => number;

  constructor(store: AddressStore, random: () => number) {
    this.#store = store;
    this.#random = random;
  }

  /**
   * @returns undefined if the pod's template requests no set, or the pod requests an address itself
   * @throws CniError noAddress if the set has no free address
   */
  async claimAddress(request: IpamRequest, pod: PodObject, wanted: AddressRequest): Promise<Allocation | undefined> {
    const hasNoSet = pod.metadata.annotations[SET_ANNOTATION] === undefined || wanted.requested !== undefined;
    if (hasNoSet) return undefined;
    const workload = findSet(pod);
    if (workload === undefined)
      throw new CniError(
        CODE.noAddress,
        `annotation ${SET_ANNOTATION} of pod ${request.pod.namespace}/${request.pod.name} has no effect: the pod has no controller`,
        "Set the annotation in the pod template of a workload.",
      );
    let members: readonly UnderlayAddressObject[] = [];
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      members = (await this.#store.listSetMembers(workload)).filter(({ spec }) => isOfNic(spec, request, wanted));
      for (const object of this.#sortCandidates(members, request, isVirtualMachine(workload))) {
        const ip = parseIp(object.spec.address);
        const pool = findPool(wanted.pools, ip);
        if (pool === undefined) continue;
        const spec = toAddressSpec(request, pod, this.#store.node, ip, pool.name);
        const replaced = await this.#store.replaceAddress(object, spec);
        if (replaced !== undefined) return { object: replaced, pool, fresh: true, unsynced: false };
      }
      if (!members.some(isFree)) break;
    }
    const size = members.length;
    throw new CniError(
      CODE.noAddress,
      size === 0
        ? `the set of ${describeWorkload(workload)} has no address for ${describeNic(request)}`
        : `none of the ${size} addresses in the set of ${describeWorkload(workload)} is free for ${describeNic(request)}`,
      size === 0
        ? "The leader creates sets of Deployments, StatefulSets, DaemonSets, Jobs, workloads of OpenKruise and VirtualMachines whose template names the network: see `kubectl get underlaypools` for free addresses."
        : `A pod that ends releases its address. A rollout with surge pods needs a larger ${SET_ANNOTATION}.`,
    );
  }

  /**
   * Sorts the members of a set: first the one of the pod's own name, then addresses that no pod had, then the others. The start
   * is random, so that nodes do not compete.
   */
  #sortCandidates(
    members: readonly UnderlayAddressObject[],
    { pod }: IpamRequest,
    ofMachine: boolean,
  ): readonly UnderlayAddressObject[] {
    const free = members.filter((object) => isFree(object) || (ofMachine && object.spec.conflict === undefined));
    const start = Math.floor(this.#random() * free.length);
    const rank = ({ spec }: UnderlayAddressObject): number =>
      spec.pod.name === pod.name ? 0 : spec.pod.name === "" || spec.set?.kind !== "StatefulSet" ? 1 : 2;
    return [...free.slice(start), ...free.slice(0, start)].sort((a, b) => rank(a) - rank(b));
  }
}

function isOfNic(
  { address, ifname, network, reserve }: UnderlayAddressObject["spec"],
  request: IpamRequest,
  { family }: AddressRequest,
): boolean {
  return (
    reserve !== true &&
    ifname === request.ifname &&
    network === request.network &&
    getFamily(parseIp(address)) === family
  );
}
