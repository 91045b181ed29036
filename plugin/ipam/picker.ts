import type { UnderlayAddressObject, UnderlayAddressSpec } from "../agent/objects.ts";
import type { Ip } from "../datapath/address.ts";
import { objectName, type Pool, shareOf } from "./choose.ts";
import type { AddressSpace } from "./pool.ts";
import type { AddressStore } from "./store.ts";

/** Takes a free address by making its object; where another node was first, the next one. */
export class Picker {
  readonly #store: AddressStore;
  readonly #random: () => number;
  /** Names that calls of this agent are about to create. */
  readonly #creating = new Set<string>();
  /** Names that another node created, until the watch tells of them. */
  readonly #lost = new Set<string>();

  constructor(store: AddressStore, random: () => number) {
    this.#store = store;
    this.#random = random;
  }

  /**
   * @param asked what the pod asks for by name; else whatever the pool gives
   * @returns undefined: none is free, as far as is known
   */
  async take(
    pool: Pool,
    asked: AddressSpace | undefined,
    spec: (ip: Ip) => UnderlayAddressSpec,
  ): Promise<UnderlayAddressObject | undefined> {
    const space = asked ?? pool.spaces.free;
    const notHere = (ip: Ip): boolean => asked !== undefined && !pool.spaces.all.has(ip);
    for (;;) {
      const ip = space.pick(
        asked === undefined ? this.#start(space) : 0n,
        (candidate) => notHere(candidate) || this.#taken(candidate),
        asked === undefined ? this.#share(pool) : undefined,
      );
      if (ip === undefined) return undefined;
      const name = objectName(ip);
      this.#creating.add(name);
      try {
        const object = await this.#store.create(name, spec(ip));
        if (object !== undefined) return object;
        this.#lost.add(name); // another node was first; its object is on its way here
      } finally {
        this.#creating.delete(name);
      }
    }
  }

  /** Called now and then: a lost name that no object has any more is free again. */
  forgetLost(): void {
    this.#lost.clear();
  }

  #start({ size }: AddressSpace): bigint {
    return size === 0n ? 0n : BigInt(Math.floor(this.#random() * Number.MAX_SAFE_INTEGER)) % size;
  }

  #share({ name }: Pool) {
    const { node } = this.#store;
    return shareOf(
      node,
      this.#store.addresses().flatMap(({ spec }) => (spec.pool === name ? [spec.node] : [])),
    );
  }

  #taken(ip: Ip): boolean {
    const name = objectName(ip);
    if (this.#store.address(name) !== undefined) {
      this.#lost.delete(name);
      return true;
    }
    return this.#creating.has(name) || this.#lost.has(name);
  }
}
