import { CniError, CODE } from "../../cni/error.ts";
import { type Family, getFamily, parseIp } from "../../datapath/address.ts";
import type { PodObject, UnderlayAddressObject } from "../../kubernetes/objects.ts";
import { findPool, type Pool } from "../pool/select-pools.ts";
import { findControllerReference, type Allocation, toAddressSpec } from "../records/allocation.ts";
import type { AddressSpace } from "../pool/address-space.ts";
import type { IpamRequest } from "../records/ipam-request.ts";
import type { Records } from "../records/address-records.ts";
import { describeNic } from "./errors.ts";
import { findSandboxState } from "../records/sandbox-state.ts";
import type { AddressStore } from "../records/address-store.ts";

/**
 * A force-deleted pod of a StatefulSet may run for some seconds while its successor starts on another node. The successor waits
 * this long for the old node to release the address; after that Kubernetes considers the pod deleted.
 */
const PREDECESSOR_MS = 30_000;
const FORGET_MS = 3_600_000;

export interface AddressRequest {
  readonly family: Family;
  readonly pools: readonly Pool[];
  readonly requested: AddressSpace | undefined;
}

/** Finds addresses that a pod already has, or that its predecessor of the same name had and it keeps. */
export class ExistingClaims {
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #now: () => number;
  readonly #attachments: string;
  /** Uid of a pod that waits for its predecessor -> start of the wait in ms. */
  readonly #waiting = new Map<string, number>();

  /** @param attachments directory of the node's attachments */
  constructor(store: AddressStore, records: Records, now: () => number, attachments: string) {
    this.#store = store;
    this.#records = records;
    this.#now = now;
    this.#attachments = attachments;
  }

  /**
   * Moves such an address to the new pod or sandbox.
   *
   * @param hasConflict returns whether an address (by object name) is in conflict and must not be used
   * @returns undefined if the pod has no earlier address
   * @throws CniError tryAgainLater while the predecessor may still use the address
   */
  async takeOver(
    request: IpamRequest,
    pod: PodObject,
    { family, pools, requested }: AddressRequest,
    hasConflict: (name: string) => boolean,
  ): Promise<Allocation | undefined> {
    const controller = findControllerReference(pod);
    const ofSet = controller?.kind === "StatefulSet";
    for (const object of await this.#heldBefore(request, ofSet || requested !== undefined)) {
      const { spec, metadata } = object;
      const ip = parseIp(spec.address);
      if (getFamily(ip) !== family || spec.ifname !== request.ifname) continue;
      if (spec.conflict !== undefined || hasConflict(metadata.name)) continue;
      if (requested !== undefined && !requested.has(ip)) continue; // the annotation has changed; reclaimed after the pod is deleted
      const pool = findPool(pools, ip);
      if (pool === undefined) continue; // removed from its pool
      const isSame = spec.pod.uid === pod.metadata.uid && spec.network === request.network;
      // A StatefulSet has at most one pod of a name. This pod has another uid, so the earlier one was deleted.
      const isKept = !isSame && ofSet && spec.owner?.uid === controller.uid;
      // A pod of the same name that requests the same address: only after the earlier container was deleted, too.
      const asksAgain = requested !== undefined && spec.pod.uid !== pod.metadata.uid;
      if (!isSame && !isKept && !asksAgain) continue;
      if (!isSame) this.#awaitPredecessor(request, pod, object, isKept);
      const replaced = await this.#store.replaceAddress(
        object,
        toAddressSpec(request, pod, this.#store.node, ip, pool.name),
      );
      if (replaced === undefined)
        throw new CniError(CODE.tryAgainLater, `${ip} of ${describeNic(request)} was changed while it was taken over`);
      this.#waiting.delete(pod.metadata.uid);
      return { object: replaced, pool, fresh: false, unsynced: false };
    }
    return undefined;
  }

  /** @throws CniError tryAgainLater while the earlier container may still use the address */
  #awaitPredecessor(
    request: IpamRequest,
    { metadata: { uid } }: PodObject,
    object: UnderlayAddressObject,
    kept: boolean,
  ): void {
    const { spec } = object;
    const isGone =
      spec.node === this.#store.node
        ? findSandboxState(this.#records, object, this.#attachments) === "gone"
        : spec.containerId === "";
    if (isGone) return;
    const now = this.#now();
    for (const [key, since] of this.#waiting) if (now - since > FORGET_MS) this.#waiting.delete(key);
    const since = this.#waiting.get(uid) ?? now;
    this.#waiting.set(uid, since);
    if (kept && now - since >= PREDECESSOR_MS) return;
    throw new CniError(
      CODE.tryAgainLater,
      `address ${spec.address} for ${describeNic(request)} is still in use by the previous pod of that name on node ${spec.node}`,
      "It becomes available when that node reports that the container is deleted.",
    );
  }

  /** A StatefulSet's pod and one that requests its address may come from another node: then asks the API server. */
  async #heldBefore({ pod }: IpamRequest, readsApiServer: boolean): Promise<readonly UnderlayAddressObject[]> {
    const cachedAddresses = this.#store
      .listAddresses()
      .filter(({ spec }) => spec.pod.namespace === pod.namespace && spec.pod.name === pod.name);
    return cachedAddresses.length > 0 || !readsApiServer
      ? cachedAddresses
      : this.#store.listPodAddresses(pod.namespace, pod.name);
  }
}
