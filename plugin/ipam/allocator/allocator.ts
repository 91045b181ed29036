import { CniError, CODE } from "../../cni/error.ts";
import type { ConflictRecord } from "../../state/conflict-records.ts";
import { type Ip, parseIp } from "../../datapath/address.ts";
import { getAttachmentsDirectory } from "../../state/attachment.ts";
import { STATE_DIRECTORY } from "../../datapath/facts.ts";
import type { PodObject, UnderlayAddressObject } from "../../kubernetes/objects.ts";
import { listPoolFamilies } from "../pool/select-pools.ts";
import {
  toIpamResult,
  findControllerReference,
  type Allocation,
  toAddressSpec,
  toRecord,
} from "../records/allocation.ts";
import { Conflicts } from "./conflicts.ts";
import { parseDefaultRouteNic } from "../annotations/default-route.ts";
import { AddressReleaser } from "./address-releaser.ts";
import { ExistingClaims, type AddressRequest } from "./existing-claims.ts";
import { AddressPicker } from "./address-picker.ts";
import { selectPodPools } from "./pod-pools.ts";
import type { IpamResult, IpamRequest } from "../records/ipam-request.ts";
import type { AddressRecord, Records } from "../records/address-records.ts";
import {
  createPoolExhaustedError,
  createApiServerUnreachableError,
  createNotSyncedError,
  createPodDeletedError,
  createAddressUnavailableError,
  createInvalidAnnotationError,
} from "./errors.ts";
import { ExhaustionWait, type WaitClock } from "../waiting/exhaustion-wait.ts";
import { findRecordedAddresses } from "./recorded-addresses.ts";
import { Reserve } from "./reserve.ts";
import { SetClaims } from "./set-claims.ts";
import { findSet } from "../annotations/workload.ts";
import type { ContainerNic } from "../records/sandbox-state.ts";
import { type AddressStore, isApiError } from "../records/address-store.ts";
import { syncRecords } from "./sync-records.ts";
import { KeyedMutex } from "../waiting/keyed-mutex.ts";
import { parseRequestedAddresses } from "../annotations/requested-addresses.ts";

export interface AllocatorOptions {
  /** In [0, 1): where in a pool the search begins. */
  readonly random?: () => number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Directory of the plugin's conflict records and attachments. */
  readonly stateDirectory?: string;
  /** Calls that find no free address wait for one; undefined: they fail at once. */
  readonly waitClock?: WaitClock;
  /** Called when an address was marked because another host uses it. */
  readonly onConflict?: (record: ConflictRecord) => void;
  /** Called when a container still has an address whose object now belongs to another pod. */
  readonly onLost?: (record: AddressRecord) => void;
}

/** Allocates addresses to this node's pods: all addresses of a NIC, or none. */
export class Allocator {
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #picker: AddressPicker;
  readonly #claims: ExistingClaims;
  readonly #wait: ExhaustionWait | undefined;
  readonly #sets: SetClaims;
  readonly #reserve: Reserve;
  readonly #releaser: AddressReleaser;
  readonly #conflicts: Conflicts;
  readonly #lost: (record: AddressRecord) => void;
  /** Serialises calls for one NIC. */
  readonly #mutex = new KeyedMutex();

  constructor(store: AddressStore, records: Records, options: AllocatorOptions = {}) {
    const { random = Math.random, now = Date.now, stateDirectory = STATE_DIRECTORY } = options;
    this.#store = store;
    this.#records = records;
    this.#picker = new AddressPicker(store, random, options.waitClock);
    this.#claims = new ExistingClaims(store, records, now, getAttachmentsDirectory(stateDirectory));
    this.#wait = options.waitClock === undefined ? undefined : new ExhaustionWait(options.waitClock);
    this.#sets = new SetClaims(store, random);
    this.#releaser = new AddressReleaser(store, records);
    const conflicts = new Conflicts(store, records, stateDirectory, options.onConflict ?? (() => undefined));
    this.#conflicts = conflicts;
    this.#reserve = new Reserve(store, records, this.#picker, (name) => conflicts.has(name));
    this.#lost = options.onLost ?? (() => undefined);
  }

  allocate(request: IpamRequest): Promise<IpamResult> {
    const { namespace, name, uid } = request.pod;
    return this.#mutex.run(`${namespace}/${name}/${request.ifname}`, async () => {
      try {
        if (this.#wait === undefined) return await this.#allocate(request);
        const allocate = () => this.#allocate(request);
        return await this.#wait.run(`${uid}/${request.ifname}`, allocate, () => this.#isWanted(request));
      } catch (error) {
        if (error instanceof CniError && error.code === CODE.noAddress)
          this.#releaser.recordFailure(request.containerId);
        throw error;
      }
    });
  }

  /** Counts the pods of this node that found no free address and still want one. */
  countWaitingPods(): number {
    return new Set(this.#wait?.listWaiting().map((key) => key.split("/")[0])).size;
  }

  #isWanted({ pod: { namespace, name, uid } }: IpamRequest): boolean {
    const pod = this.#store.getCachedPod(namespace, name);
    return (
      pod !== undefined && (uid === "" || pod.metadata.uid === uid) && pod.metadata.deletionTimestamp === undefined
    );
  }

  async #allocate(request: IpamRequest): Promise<IpamResult> {
    // First: an address that the last attempt found to be in use by another host must not be allocated again.
    const marked = this.#conflicts.readRecords().length > 0;
    const recorded = await findRecordedAddresses(this.#store, this.#records, request);
    if (recorded.length > 0) return toIpamResult(recorded);
    if (!this.#store.isSynced()) throw createNotSyncedError();
    const granted: Allocation[] = [];
    try {
      if (marked) await this.#conflicts.publishRecords().catch(() => undefined); // retried later: the record is enough
      const pod = await this.#readPod(request);
      const defaultRouteNic = parseDefaultRouteNic(
        pod.metadata.annotations,
        `${request.pod.namespace}/${request.pod.name}`,
      );
      const pools = await selectPodPools(this.#store, request, pod);
      const asked = readRequestedAddresses(pod, request);
      for (const family of asked === undefined ? listPoolFamilies(pools) : [...asked.keys()])
        granted.push(await this.#allocateFamily(request, pod, { family, pools, requested: asked?.get(family) }));
      const records = granted.map((one) => toRecord(one, request, pod, defaultRouteNic));
      for (const record of records) this.#records.write(record);
      this.#releaser.recordAllocation(
        request.containerId,
        granted.flatMap(({ fresh, object }) => (fresh ? [object.metadata.name] : [])),
      );
      return toIpamResult(records);
    } catch (error) {
      for (const { object, fresh } of granted) if (fresh) await this.#undo(object).catch(() => undefined); // a failed one is found again by the pod's uid
      if (error instanceof CniError || isApiError(error)) throw error;
      throw createApiServerUnreachableError(request, error);
    } finally {
      for (const { object, unsynced } of granted) if (unsynced) this.#reserve.finish(object.metadata.name);
    }
  }

  /** Releases an address that this call took; one of a set stays in it. */
  async #undo(object: UnderlayAddressObject): Promise<void> {
    if (object.spec.set === undefined) await this.#store.deleteAddress(object);
    else await this.#store.replaceAddress(object, { ...object.spec, containerId: "" });
  }

  async #readPod(request: IpamRequest): Promise<PodObject> {
    const { namespace, name, uid } = request.pod;
    const found = await this.#store.findPod(namespace, name, uid);
    if (found === undefined || (uid !== "" && found.metadata.uid !== uid)) throw createPodDeletedError(request);
    return found;
  }

  async #allocateFamily(request: IpamRequest, pod: PodObject, wanted: AddressRequest): Promise<Allocation> {
    const { family, pools, requested } = wanted;
    const again = await this.#claims
      .takeOver(request, pod, wanted, (name) => this.#conflicts.has(name))
      .catch((error: unknown) => this.#allocateOffline(error, pod, wanted));
    if (again !== undefined) return again;
    const ofSet = await this.#sets
      .claimAddress(request, pod, wanted)
      .catch((error: unknown) => this.#allocateOffline(error, pod, wanted));
    if (ofSet !== undefined) return ofSet;
    const tried = requested === undefined ? pools.filter((p) => p.spaces.free.family === family) : pools;
    try {
      for (const pool of tried) {
        const spec = (ip: Ip) => toAddressSpec(request, pod, this.#store.node, ip, pool.name);
        const object = await this.#picker.takeAddress(pool, requested, spec);
        if (object !== undefined) return { object, pool, fresh: true, unsynced: false };
      }
      const last = requested === undefined ? await this.#takeFromReserve(request, pod, wanted) : undefined;
      if (last !== undefined) return last;
    } catch (error) {
      return this.#allocateOffline(error, pod, wanted);
    }
    if (requested === undefined) throw createPoolExhaustedError(request, tried, family);
    const holders = await this.#picker.listHolders(requested);
    throw createAddressUnavailableError(request, pools, requested, (name) => holders.get(name));
  }

  /** The pool has no other free address: use the node's own reserve. */
  async #takeFromReserve(
    request: IpamRequest,
    pod: PodObject,
    wanted: AddressRequest,
  ): Promise<Allocation | undefined> {
    const last = this.#reserve.takeAddress(wanted);
    if (last === undefined) return undefined;
    const { object, pool } = last;
    try {
      const ip = parseIp(object.spec.address);
      const next = await this.#store.replaceAddress(
        object,
        toAddressSpec(request, pod, this.#store.node, ip, pool.name),
      );
      if (next === undefined) throw new CniError(CODE.tryAgainLater, `${ip} of this node's reserve was changed`);
      return { object: next, pool, fresh: true, unsynced: false };
    } finally {
      this.#reserve.finish(object.metadata.name);
    }
  }

  /**
   * API server unreachable: allocates from this node's reserve, which no other node can use. Pods with a requested or kept address
   * must wait. Rethrows `error` if the reserve cannot serve the pod.
   */
  #allocateOffline(error: unknown, pod: PodObject, wanted: AddressRequest): Allocation {
    const away = !(error instanceof CniError) && !isApiError(error);
    const keepsAddress = findControllerReference(pod)?.kind === "StatefulSet" || findSet(pod) !== undefined;
    const mayBeGiven = away && wanted.requested === undefined && !keepsAddress;
    const given = mayBeGiven ? this.#reserve.takeAddress(wanted) : undefined;
    if (given === undefined) throw error;
    return { ...given, fresh: false, unsynced: true };
  }

  /** DEL. */
  release(nic: ContainerNic): Promise<void> {
    return this.#releaser.release(nic);
  }

  /** GC of a network. */
  collect(network: string, valid: readonly ContainerNic[]): Promise<void> {
    return this.#releaser.collect(network, valid);
  }

  /** @throws CniError drift unless the container holds an address */
  check({ containerId, ifname }: ContainerNic): void {
    const holds = (): boolean =>
      this.#records.listRecords().some((r) => r.containerId === containerId && r.ifname === ifname && !r.released);
    if (holds()) return;
    this.#records.reread();
    if (!holds()) throw new CniError(CODE.drift, `container ${containerId} holds no underlay address for ${ifname}`);
  }

  /** Writes pending changes to the API server and reconciles the reserve. Throws if it is unreachable. */
  async sync(): Promise<void> {
    this.#records.reread();
    if (!this.#store.isSynced()) return;
    await this.#conflicts.publishRecords();
    await syncRecords(this.#store, this.#records, this.#releaser, this.#lost);
    await this.#reserve.reconcile();
    this.#picker.forgetTakenByOthers();
  }
}

function readRequestedAddresses(pod: PodObject, request: IpamRequest): ReturnType<typeof parseRequestedAddresses> {
  try {
    return parseRequestedAddresses(pod.metadata.annotations, request.ifname);
  } catch (error) {
    throw createInvalidAnnotationError(request, error);
  }
}
