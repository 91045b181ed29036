import { CniError, CODE } from "../cni/error.ts";
import type { ConflictNote } from "../cni/conflict-notes.ts";
import { type Ip, parseIp } from "../datapath/address.ts";
import { attachmentsDirectory } from "../datapath/attachment.ts";
import { STATE_DIRECTORY } from "../datapath/facts.ts";
import type { PodObject } from "../agent/objects.ts";
import { askedFor, eligible, families } from "./choose.ts";
import { answer, controllerOf, type Granted, specOf, toRecord } from "./claim.ts";
import { Conflicts } from "./conflicts.ts";
import { defaultRouteNicOf } from "./default-route.ts";
import { GiveBacks } from "./givebacks.ts";
import { Holdings, type Wanted } from "./holdings.ts";
import { Picker } from "./picker.ts";
import { toPools } from "./pools.ts";
import type { IpamAnswer, IpamRequest } from "./protocol.ts";
import type { AddressRecord, Records } from "./records.ts";
import { exhausted, noPool, notAsked, notKnownYet, podGone, refused, wrongAnnotation } from "./refusals.ts";
import { Reserve } from "./reserve.ts";
import type { Nic } from "./sandbox.ts";
import { type AddressStore, isAnswer } from "./store.ts";
import { tellRecords } from "./sync.ts";
import { Turns } from "./turns.ts";

export interface AllocatorOptions {
  /** In [0, 1): where in a pool a pick begins. */
  readonly random?: () => number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Where the plugin leaves its notes of conflicts, and its attachments. */
  readonly stateDirectory?: string;
  /** An address has been marked: somebody else on the wire has it. */
  readonly conflict?: (note: ConflictNote) => void;
  /** A container has an address that is another pod's by now: its object had been deleted. */
  readonly lost?: (record: AddressRecord) => void;
}

/** Gives this node's pods their addresses: all that one NIC needs, or none. */
export class Allocator {
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #picker: Picker;
  readonly #holdings: Holdings;
  readonly #reserve: Reserve;
  readonly #giveBacks: GiveBacks;
  readonly #conflicts: Conflicts;
  readonly #lost: (record: AddressRecord) => void;
  /** Calls for one pod's NIC wait for each other. */
  readonly #turns = new Turns();

  constructor(store: AddressStore, records: Records, options: AllocatorOptions = {}) {
    const { random = Math.random, now = Date.now, stateDirectory = STATE_DIRECTORY } = options;
    this.#store = store;
    this.#records = records;
    this.#picker = new Picker(store, random);
    this.#holdings = new Holdings(store, records, now, attachmentsDirectory(stateDirectory));
    this.#giveBacks = new GiveBacks(store, records);
    const conflicts = new Conflicts(store, records, stateDirectory, options.conflict ?? (() => undefined));
    this.#conflicts = conflicts;
    this.#reserve = new Reserve(store, records, this.#picker, (name) => conflicts.has(name));
    this.#lost = options.lost ?? (() => undefined);
  }

  allocate(request: IpamRequest): Promise<IpamAnswer> {
    return this.#turns.take(`${request.pod.namespace}/${request.pod.name}/${request.ifname}`, () =>
      this.#allocate(request),
    );
  }

  async #allocate(request: IpamRequest): Promise<IpamAnswer> {
    // Before anything: an address that the last try found to be another's on the wire is not given again.
    const marked = this.#conflicts.look().length > 0;
    const recorded = this.#recorded(request);
    if (recorded.length > 0) return answer(recorded);
    if (!this.#store.known()) throw notKnownYet();
    const granted: Granted[] = [];
    try {
      if (marked) await this.#conflicts.mark().catch(() => undefined); // told later: a note is enough
      const pod = await this.#pod(request);
      const defaultRouteNic = defaultRouteNicOf(
        pod.metadata.annotations,
        `${request.pod.namespace}/${request.pod.name}`,
      );
      const pools = eligible(toPools(this.#store.pools()).good, {
        nodeLabels: this.#store.nodeLabels(),
        namespaceLabels: await this.#store.namespaceLabels(request.pod.namespace),
        podLabels: pod.metadata.labels,
        pools: request.pools,
      });
      if (pools.length === 0) throw noPool(request);
      const asked = askedBy(pod, request);
      for (const family of asked === undefined ? families(pools) : [...asked.keys()])
        granted.push(await this.#grant(request, pod, { family, pools, asked: asked?.get(family) }));
      const records = granted.map((one) => toRecord(one, request, pod, defaultRouteNic));
      for (const record of records) this.#records.write(record);
      this.#giveBacks.madeFor(
        request.containerId,
        granted.flatMap(({ fresh, object }) => (fresh ? [object.metadata.name] : [])),
      );
      return answer(records);
    } catch (error) {
      for (const { object, fresh } of granted) if (fresh) await this.#store.remove(object).catch(() => false); // else its pod's uid finds it again
      if (error instanceof CniError && error.code === CODE.noAddress) this.#giveBacks.failed(request.containerId);
      if (error instanceof CniError || isAnswer(error)) throw error;
      throw notAsked(request, error);
    } finally {
      for (const { object, untold } of granted) if (untold) this.#reserve.settled(object.metadata.name);
    }
  }

  /** The same pod again: a repeated ADD, or a new sandbox. Needs nobody but this node. */
  #recorded(request: IpamRequest): readonly AddressRecord[] {
    const mine = this.#recordsOf(request);
    const valid = mine.filter((r) => this.#isValid(r));
    if (valid.length < mine.length) {
      // Taken back by hand: nothing of it is kept.
      for (const r of mine) if (!valid.includes(r)) this.#records.remove(r.name);
      return [];
    }
    return valid.map((r) => {
      if (r.containerId === request.containerId && !r.released) return r;
      const next = { ...r, containerId: request.containerId, netns: request.netns, released: false, stale: true };
      this.#records.write(next);
      return next;
    });
  }

  #recordsOf({ pod, ifname, network }: IpamRequest): readonly AddressRecord[] {
    const find = (): readonly AddressRecord[] =>
      this.#records
        .all()
        .filter(
          (r) => r.pod.uid === pod.uid && r.pod.name === pod.name && r.ifname === ifname && r.network === network,
        );
    const known = find();
    if (known.length > 0) return known;
    // While agents change, the one that goes has written some that this one has not seen.
    this.#records.reread();
    return find();
  }

  #isValid({ name, pod, leaving }: AddressRecord): boolean {
    if (leaving) return false;
    if (!this.#store.known()) return true;
    const spec = this.#store.address(name)?.spec;
    if (spec === undefined || spec.conflict !== undefined) return false;
    return spec.pod.uid === pod.uid || (spec.reserve === true && spec.node === this.#store.node);
  }

  async #pod(request: IpamRequest): Promise<PodObject> {
    const { namespace, name, uid } = request.pod;
    const found = await this.#store.pod(namespace, name, uid);
    if (found === undefined || (uid !== "" && found.metadata.uid !== uid)) throw podGone(request);
    return found;
  }

  async #grant(request: IpamRequest, pod: PodObject, wanted: Wanted): Promise<Granted> {
    const { family, pools, asked } = wanted;
    const again = await this.#holdings
      .takeOver(request, pod, wanted, (name) => this.#conflicts.has(name))
      .catch((error: unknown) => this.#whileAway(error, pod, wanted));
    if (again !== undefined) return again;
    const tried = asked === undefined ? pools.filter((p) => p.spaces.free.family === family) : pools;
    try {
      for (const pool of tried) {
        const spec = (ip: Ip) => specOf(request, pod, this.#store.node, ip, pool.name);
        const object = await this.#picker.take(pool, asked, spec);
        if (object !== undefined) return { object, pool, fresh: true, untold: false };
      }
      const last = asked === undefined ? await this.#lastOfReserve(request, pod, wanted) : undefined;
      if (last !== undefined) return last;
    } catch (error) {
      return this.#whileAway(error, pod, wanted);
    }
    throw asked === undefined
      ? exhausted(request, tried, family)
      : refused(request, pools, asked, (name) => this.#store.address(name));
  }

  /** The pool has no other left: the node's own reserve is for its pods too. */
  async #lastOfReserve(request: IpamRequest, pod: PodObject, wanted: Wanted): Promise<Granted | undefined> {
    const last = this.#reserve.take(wanted);
    if (last === undefined) return undefined;
    const { object, pool } = last;
    try {
      const ip = parseIp(object.spec.address);
      const next = await this.#store.replace(object, specOf(request, pod, this.#store.node, ip, pool.name));
      if (next === undefined) throw new CniError(CODE.tryAgainLater, `${ip} of this node's reserve has been changed`);
      return { object: next, pool, fresh: true, untold: false };
    } finally {
      this.#reserve.settled(object.metadata.name);
    }
  }

  /**
   * The API server does not answer. What of the reserve is given now nobody else can have; but a pod that asks for an
   * address, or may have one from before, waits. Throws what was thrown where there is no such address.
   */
  #whileAway(error: unknown, pod: PodObject, wanted: Wanted): Granted {
    const away = !(error instanceof CniError) && !isAnswer(error);
    const mayBeGiven = away && wanted.asked === undefined && controllerOf(pod)?.kind !== "StatefulSet";
    const given = mayBeGiven ? this.#reserve.take(wanted) : undefined;
    if (given === undefined) throw error;
    return { ...given, fresh: false, untold: true };
  }

  /** DEL. */
  release(nic: Nic): Promise<void> {
    return this.#giveBacks.release(nic);
  }

  /** GC of a network. */
  collect(network: string, valid: readonly Nic[]): Promise<void> {
    return this.#giveBacks.collect(network, valid);
  }

  /** Throws unless the container holds an address. */
  check({ containerId, ifname }: Nic): void {
    const holds = (): boolean =>
      this.#records.all().some((r) => r.containerId === containerId && r.ifname === ifname && !r.released);
    if (holds()) return;
    this.#records.reread();
    if (!holds()) throw new CniError(CODE.drift, `container ${containerId} holds no underlay address for ${ifname}`);
  }

  /** Tells the API server what it does not know yet, and sees to the reserve. Throws when it is away. */
  async sync(): Promise<void> {
    this.#records.reread();
    if (!this.#store.known()) return;
    await this.#conflicts.mark();
    await tellRecords(this.#store, this.#records, this.#giveBacks, this.#lost);
    await this.#reserve.tend();
    this.#picker.forgetLost();
  }
}

function askedBy(pod: PodObject, request: IpamRequest): ReturnType<typeof askedFor> {
  try {
    return askedFor(pod.metadata.annotations, request.ifname);
  } catch (error) {
    throw wrongAnnotation(request, error);
  }
}
