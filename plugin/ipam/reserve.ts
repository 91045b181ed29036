import { parseIp } from "../datapath/address.ts";
import type { UnderlayAddressObject } from "../agent/objects.ts";
import { fits, overlapping, type Pool, poolOf } from "./choose.ts";
import type { AddressRequest } from "./existing-claims.ts";
import type { AddressPicker } from "./picker.ts";
import { parsePools } from "./pools.ts";
import type { Records } from "./records.ts";
import type { AddressStore } from "./store.ts";

/**
 * Addresses that this node has taken beforehand, as its pools allow (`reservePerNode`): objects like all others, so nobody else
 * gets them. A new pod gets one of them while the API server does not answer, or when the pool has no other left.
 */
export class Reserve {
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #picker: AddressPicker;
  readonly #hasConflict: (name: string) => boolean;
  /** Names that calls are about to give. */
  readonly #taken = new Set<string>();

  /** @param unfit names that somebody else answers for, told to the API server or not */
  constructor(store: AddressStore, records: Records, picker: AddressPicker, unfit: (name: string) => boolean) {
    this.#store = store;
    this.#records = records;
    this.#picker = picker;
    this.#hasConflict = unfit;
  }

  /** One of them, which no other call gets until `settled`. Undefined: none is left for these pools. */
  take({
    family,
    pools,
  }: Pick<AddressRequest, "family" | "pools">):
    { readonly object: UnderlayAddressObject; readonly pool: Pool } | undefined {
    const left = this.#listAvailable();
    for (const pool of pools) {
      if (pool.spaces.free.family !== family) continue;
      const object = left.find(({ spec }) => poolOf([pool], parseIp(spec.address)) !== undefined);
      if (object === undefined) continue;
      this.#taken.add(object.metadata.name);
      return { object, pool };
    }
    return undefined;
  }

  /** A record or an object says by now whose it is. */
  finish(name: string): void {
    this.#taken.delete(name);
  }

  /** Takes what is missing, gives back what is too much. A pool that has nothing left gives pods the last ones first. */
  async reconcile(): Promise<void> {
    const { valid: good } = parsePools(this.#store.pools());
    const bad = overlapping(good);
    const left = this.#listAvailable();
    const keep = new Set<string>();
    for (const pool of good) {
      const wanted = bad.has(pool.name) || !fits(pool.nodeLabels, this.#store.nodeLabels()) ? 0 : pool.reservePerNode;
      const own = left
        .filter(({ spec }) => spec.pool === pool.name && poolOf([pool], parseIp(spec.address)) !== undefined)
        .slice(0, wanted);
      for (const { metadata } of own) keep.add(metadata.name);
      for (let missing = wanted - own.length; missing > 0; missing--) {
        const object = await this.#picker.take(pool, undefined, (ip) => ({
          ...{ address: ip, pool: pool.name, node: this.#store.node, containerId: "", ifname: "", network: "" },
          pod: { namespace: "", name: "", uid: "" },
          reserve: true,
        }));
        if (object === undefined) break;
        keep.add(object.metadata.name);
      }
    }
    for (const object of left)
      if (!keep.has(object.metadata.name) && !this.#taken.has(object.metadata.name)) await this.#store.remove(object);
  }

  /** Of this node, on no pod: a record says that one was given while the API server was away. */
  #listAvailable(): readonly UnderlayAddressObject[] {
    const given = new Set(this.#records.all().map(({ name }) => name));
    return this.#store
      .addresses()
      .filter(
        ({ spec, metadata }) =>
          spec.reserve &&
          !this.#hasConflict(metadata.name) &&
          spec.node === this.#store.node &&
          !given.has(metadata.name) &&
          !this.#taken.has(metadata.name),
      );
  }
}
