import { CniError, CODE } from "../cni/error.ts";
import { type Family, familyOf, type Ip, parseIp } from "../datapath/address.ts";
import type { PodObject, UnderlayAddressObject, UnderlayAddressSpec } from "../agent/objects.ts";
import { askedFor, eligible, families, objectName, type Pool, poolOf, shareOf } from "./choose.ts";
import { defaultRouteNicOf } from "./default-route.ts";
import type { AddressSpace, Share } from "./pool.ts";
import { toPools } from "./pools.ts";
import type { IpamAnswer, IpamRequest } from "./protocol.ts";
import type { AddressRecord, Records } from "./records.ts";
import { type AddressStore, isAnswer } from "./store.ts";

type Attachment = Pick<IpamRequest, "containerId" | "ifname">;

interface Granted {
  readonly object: UnderlayAddressObject;
  readonly pool: Pool;
  /** Made or taken over by this call: goes back if the call fails. */
  readonly fresh: boolean;
}

/** Gives this node's pods their addresses: all that one NIC needs, or none. */
export class Allocator {
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #random: () => number;
  /** Names that calls of this agent are about to create. */
  readonly #creating = new Set<string>();
  /** Calls for one pod's NIC wait for each other. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(store: AddressStore, records: Records, random: () => number = Math.random) {
    this.#store = store;
    this.#records = records;
    this.#random = random;
  }

  allocate(request: IpamRequest): Promise<IpamAnswer> {
    return this.#inTurn(`${request.pod.namespace}/${request.pod.name}/${request.ifname}`, () =>
      this.#allocate(request),
    );
  }

  async #allocate(request: IpamRequest): Promise<IpamAnswer> {
    const recorded = this.#recorded(request);
    if (recorded.length > 0) return answer(recorded);
    if (!this.#store.known())
      throw new CniError(
        CODE.tryAgainLater,
        "the agent has not reached the API server since it started, and has no record of this pod",
        "New pods wait until the API server answers.",
      );
    const granted: Granted[] = [];
    try {
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
      const asked = this.#asked(pod, request.ifname);
      for (const family of asked === undefined ? families(pools) : [...asked.keys()])
        granted.push(await this.#grant(request, pod, family, pools, asked?.get(family)));
      const records = granted.map(({ object, pool }) => ({
        ...toRecord(object, pool, request),
        ...(defaultRouteNic === undefined ? {} : { defaultRouteNic }),
      }));
      for (const record of records) this.#records.write(record);
      return answer(records);
    } catch (error) {
      for (const { object, fresh } of granted) if (fresh) await this.#store.remove(object).catch(() => false); // else its pod's uid finds it again
      if (error instanceof CniError || isAnswer(error)) throw error;
      throw new CniError(
        CODE.tryAgainLater,
        `the API server could not be asked for an address for ${nameOf(request)} (${error instanceof Error ? error.message : String(error)})`,
      );
    }
  }

  /** The same pod again: a repeated ADD, or a new sandbox. Needs nobody but this node. */
  #recorded(request: IpamRequest): readonly AddressRecord[] {
    const mine = this.#records
      .all()
      .filter(
        (r) =>
          r.pod.uid === request.pod.uid &&
          r.pod.name === request.pod.name &&
          r.ifname === request.ifname &&
          r.network === request.network,
      );
    const valid = mine.filter((r) => {
      const object = this.#store.address(r.name);
      return !this.#store.known() || object?.spec.pod.uid === r.pod.uid;
    });
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

  async #pod({ pod }: IpamRequest): Promise<PodObject> {
    const found = await this.#store.pod(pod.namespace, pod.name, pod.uid);
    if (found === undefined || (pod.uid !== "" && found.metadata.uid !== pod.uid))
      throw new CniError(
        CODE.tryAgainLater,
        `pod ${pod.namespace}/${pod.name} (${pod.uid}) is not in the API server: it has been deleted`,
      );
    return found;
  }

  #asked(pod: PodObject, ifname: string): ReturnType<typeof askedFor> {
    try {
      return askedFor(pod.metadata.annotations, ifname);
    } catch (error) {
      throw new CniError(
        CODE.noAddress,
        `the annotation interlay.dev/ip of pod ${pod.metadata.namespace ?? ""}/${pod.metadata.name} is wrong: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  async #grant(
    request: IpamRequest,
    pod: PodObject,
    family: Family,
    pools: readonly Pool[],
    asked: AddressSpace | undefined,
  ): Promise<Granted> {
    const spec = (ip: Ip, pool: Pool): UnderlayAddressSpec => specOf(request, pod, this.#store.node, ip, pool.name);
    const again = await this.#takeOver(request, pod, family, pools, asked);
    if (again !== undefined) return again;
    const tried = asked === undefined ? pools.filter((p) => p.spaces.free.family === family) : pools;
    for (const pool of tried) {
      const space = asked ?? pool.spaces.free;
      const may = (ip: Ip): boolean => asked === undefined || pool.spaces.all.has(ip);
      for (;;) {
        const start =
          space.size === 0n ? 0n : BigInt(Math.floor(this.#random() * Number.MAX_SAFE_INTEGER)) % space.size;
        const ip = space.pick(
          asked === undefined ? start : 0n,
          (candidate) => !may(candidate) || this.#taken(candidate),
          asked === undefined ? this.#share(pool) : undefined,
        );
        if (ip === undefined) break;
        const name = objectName(ip);
        this.#creating.add(name);
        try {
          const object = await this.#store.create(name, spec(ip, pool));
          if (object !== undefined) return { object, pool, fresh: true };
          this.#lost.add(name); // another node was first; its object is on its way here
        } finally {
          this.#creating.delete(name);
        }
      }
    }
    throw asked === undefined ? exhausted(request, tried, family) : this.#refused(request, pools, asked);
  }

  #share({ name }: Pool): Share {
    const { node } = this.#store;
    return shareOf(
      node,
      this.#store.addresses().flatMap(({ spec }) => (spec.pool === name ? [spec.node] : [])),
    );
  }

  /** Names that another node created, until the watch tells of them. */
  readonly #lost = new Set<string>();

  #taken(ip: Ip): boolean {
    const name = objectName(ip);
    if (this.#store.address(name) !== undefined) {
      this.#lost.delete(name);
      return true;
    }
    return this.#creating.has(name) || this.#lost.has(name);
  }

  /** Called now and then: a lost name that no object has any more is free again. */
  forgetLost(): void {
    this.#lost.clear();
  }

  /** An address that this pod has already, or had under an earlier uid and keeps. */
  async #takeOver(
    request: IpamRequest,
    pod: PodObject,
    family: Family,
    pools: readonly Pool[],
    asked: AddressSpace | undefined,
  ): Promise<Granted | undefined> {
    const controller = pod.metadata.ownerReferences.find((o) => o.controller === true);
    for (const object of await this.#heldBefore(request, controller?.kind === "StatefulSet")) {
      const { spec } = object;
      const ip = parseIp(spec.address);
      if (familyOf(ip) !== family || spec.ifname !== request.ifname || spec.conflict !== undefined) continue;
      const same = spec.pod.uid === pod.metadata.uid && spec.network === request.network;
      // A StatefulSet has at most one pod of a name, and a pod of this name and another uid is there: the earlier is gone.
      const kept = controller?.kind === "StatefulSet" && spec.owner?.uid === controller.uid;
      // A pod of one's own name that asks for the address it had: its earlier self is gone from the API server.
      const asksAgain = asked?.has(ip) === true && spec.pod.uid !== pod.metadata.uid;
      if (!same && !kept && !asksAgain) continue;
      if (asked !== undefined && !asked.has(ip)) continue; // the annotation has changed: reclaimed when its pod is gone
      const pool = poolOf(pools, ip);
      if (pool === undefined) continue;
      const next = await this.#store.replace(object, specOf(request, pod, this.#store.node, ip, pool.name));
      if (next === undefined)
        throw new CniError(CODE.tryAgainLater, `${ip} of ${nameOf(request)} has been changed while it was taken over`);
      return { object: next, pool, fresh: false };
    }
    return undefined;
  }

  /** A StatefulSet's pod may come from a node whose last write is not known here yet: then the API server is asked. */
  async #heldBefore({ pod }: IpamRequest, ask: boolean): Promise<readonly UnderlayAddressObject[]> {
    const followed = this.#store
      .addresses()
      .filter(({ spec }) => spec.pod.namespace === pod.namespace && spec.pod.name === pod.name);
    return followed.length > 0 || !ask ? followed : this.#store.addressesOf(pod.namespace, pod.name);
  }

  #refused(request: IpamRequest, pools: readonly Pool[], asked: AddressSpace): CniError {
    for (const { first, last } of asked.intervals)
      if (last - first < 256n)
        for (let i = 0n; i <= last - first; i++) {
          const ip = asked.at(i);
          const holder = this.#store.address(objectName(ip));
          if (holder !== undefined)
            return new CniError(
              CODE.noAddress,
              `${ip}, which ${nameOf(request)} asks for, is held by pod ${holder.spec.pod.namespace}/${holder.spec.pod.name} on node ${holder.spec.node}`,
              "Delete that pod, or ask for another address.",
            );
        }
    return new CniError(
      CODE.noAddress,
      `none of the addresses that ${nameOf(request)} asks for is in a pool that it may use (${pools.map((p) => p.name).join(", ")})`,
      "Add them to a pool's ranges, or change the annotation interlay.dev/ip.",
    );
  }

  /** DEL. A pod that lives on keeps its address for its next sandbox, a StatefulSet's pod for its next life. */
  async release(attachment: Attachment): Promise<void> {
    const isIts = (a: Attachment): boolean =>
      a.containerId === attachment.containerId && a.ifname === attachment.ifname;
    const names = new Set([
      ...this.#records
        .all()
        .filter(isIts)
        .map((r) => r.name),
      ...this.#store.addresses().flatMap((o) => (isIts(o.spec) ? [o.metadata.name] : [])),
    ]);
    for (const name of names) {
      const record = this.#records.all().find((r) => r.name === name);
      if (record !== undefined) this.#records.write({ ...record, released: true });
      await this.#giveBack(name, attachment).catch(() => undefined); // told to the API server later, by sync
    }
  }

  async #giveBack(name: string, { containerId }: Attachment): Promise<void> {
    const object = this.#store.address(name);
    if (!this.#store.known()) return;
    if (object === undefined || object.spec.containerId !== containerId) {
      // Deleted by hand, or given on to the pod's next sandbox.
      if (object === undefined) this.#records.remove(name);
      return;
    }
    if (this.#keeps(object)) {
      await this.#store.replace(object, { ...object.spec, containerId: "" });
      const record = this.#records.all().find((r) => r.name === name);
      if (object.spec.owner?.kind === "StatefulSet" && record !== undefined && !this.#podLives(object))
        this.#records.remove(name);
      return;
    }
    await this.#store.remove(object);
    this.#records.remove(name);
  }

  #keeps(object: UnderlayAddressObject): boolean {
    return object.spec.owner?.kind === "StatefulSet" || this.#podLives(object);
  }

  #podLives({ spec }: UnderlayAddressObject): boolean {
    const pod = this.#store.followedPod(spec.pod.namespace, spec.pod.name);
    return (
      pod?.metadata.uid === spec.pod.uid &&
      pod.metadata.deletionTimestamp === undefined &&
      !["Succeeded", "Failed"].includes(pod.status.phase)
    );
  }

  /** Tells the API server what happened while it was away. Idempotent; throws when it is away still. */
  async sync(): Promise<void> {
    if (!this.#store.known()) return;
    for (const record of this.#records.all()) {
      const object = this.#store.address(record.name);
      if (object === undefined) {
        if (record.released) this.#records.remove(record.name);
        continue;
      }
      if (object.spec.pod.uid !== record.pod.uid) this.#records.remove(record.name);
      else if (record.released && object.spec.containerId !== "") await this.#giveBack(record.name, object.spec);
      else if (record.stale) {
        const { containerId } = record;
        const next = await this.#store.replace(object, { ...object.spec, containerId, node: this.#store.node });
        if (next !== undefined) this.#records.write({ ...record, stale: false });
      }
    }
    this.forgetLost();
  }

  /** GC: what the runtime does not know as valid of this network is released as DEL would. */
  async collect(network: string, valid: readonly Attachment[]): Promise<void> {
    const keep = new Set(valid.map((a) => `${a.containerId}/${a.ifname}`));
    for (const record of this.#records.all())
      if (record.network === network && !record.released && !keep.has(`${record.containerId}/${record.ifname}`))
        await this.release(record);
  }

  /** Throws unless the container holds an address. */
  check({ containerId, ifname }: Attachment): void {
    if (!this.#records.all().some((r) => r.containerId === containerId && r.ifname === ifname && !r.released))
      throw new CniError(CODE.drift, `container ${containerId} holds no underlay address for ${ifname}`);
  }

  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turns.set(key, settled);
    void settled.then(() => {
      if (this.#turns.get(key) === settled) this.#turns.delete(key);
    });
    return turn;
  }
}

function specOf(request: IpamRequest, pod: PodObject, node: string, ip: Ip, pool: string): UnderlayAddressSpec {
  const controller = pod.metadata.ownerReferences.find((o) => o.controller === true);
  return {
    address: ip,
    pool,
    node,
    containerId: request.containerId,
    ifname: request.ifname,
    network: request.network,
    pod: { namespace: request.pod.namespace, name: request.pod.name, uid: pod.metadata.uid },
    ...(controller === undefined
      ? {}
      : { owner: { kind: controller.kind, name: controller.name, uid: controller.uid } }),
  };
}

function toRecord(object: UnderlayAddressObject, pool: Pool, request: IpamRequest): AddressRecord {
  const { gateway, prefixLength } = pool.spaces;
  return {
    name: object.metadata.name,
    uid: object.metadata.uid,
    address: object.spec.address,
    prefixLength,
    ...(gateway === undefined ? {} : { gateway }),
    routes: [...pool.routes],
    pool: pool.name,
    containerId: request.containerId,
    ifname: request.ifname,
    network: request.network,
    netns: request.netns,
    pod: object.spec.pod,
    released: false,
    stale: false,
  };
}

function answer(records: readonly AddressRecord[]): IpamAnswer {
  const nic = records.find(({ defaultRouteNic }) => defaultRouteNic !== undefined)?.defaultRouteNic;
  return {
    ips: records.map(({ address, prefixLength, gateway }) => ({
      address: `${address}/${prefixLength}`,
      ...(gateway === undefined ? {} : { gateway }),
    })),
    routes: records.flatMap(({ routes }) => routes),
    ...(nic === undefined ? {} : { defaultRouteNic: nic }),
  };
}

function nameOf({ pod, ifname }: IpamRequest): string {
  return `${ifname} of pod ${pod.namespace}/${pod.name}`;
}

function noPool(request: IpamRequest): CniError {
  return new CniError(
    CODE.noAddress,
    request.pools.length > 0
      ? `of the pools that the network names (${request.pools.join(", ")}) none is there and good for ${nameOf(request)}`
      : `there is no UnderlayPool for ${nameOf(request)}`,
    "See `kubectl get underlaypools`: their selectors and conditions.",
  );
}

function exhausted(request: IpamRequest, pools: readonly Pool[], family: Family): CniError {
  return new CniError(
    CODE.noAddress,
    `no ${family === "ipv4" ? "IPv4" : "IPv6"} address is free for ${nameOf(request)} in ${pools.map((p) => `${p.name} (${p.spaces.free.size})`).join(", ")}`,
    "Add a range to the pool, or remove pods that hold addresses: `kubectl get underlayaddresses`.",
  );
}
