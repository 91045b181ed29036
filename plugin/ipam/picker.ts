import type { UnderlayAddressObject, UnderlayAddressSpec } from "../agent/objects.ts";
import type { Ip } from "../datapath/address.ts";
import { objectName, type Pool, shareOf } from "./choose.ts";
import { Lanes } from "./lanes.ts";
import type { AddressSpace, Share } from "./pool.ts";
import type { AddressStore } from "./store.ts";

/** Creations of one node under way in one pool: at the most, and as long as so many addresses are free for each of them. */
const AT_ONCE = 4;
const FREE_FOR_EACH = 16;

/** Takes a free address by making its object; where another node was first, the next one. */
export class Picker {
  readonly #store: AddressStore;
  readonly #random: () => number;
  /** Names that calls of this agent are about to create. */
  readonly #creating = new Set<string>();
  readonly #lanes = new Lanes();
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
    const pickAndCreate = (): Promise<UnderlayAddressObject | "lost" | undefined> => {
      const ip = space.pick(
        asked === undefined ? this.#start(space) : 0n,
        (candidate) => notHere(candidate) || this.#taken(candidate),
        asked === undefined ? this.#share(pool) : undefined,
      );
      return ip === undefined ? Promise.resolve(undefined) : this.#create(objectName(ip), spec(ip));
    };
    const notHere = (ip: Ip): boolean => asked !== undefined && !pool.spaces.all.has(ip);
    for (;;) {
      const made =
        asked === undefined
          ? await this.#lanes.take(pool.name, () => this.#atOnce(pool), pickAndCreate)
          : await pickAndCreate();
      if (made !== "lost") return made;
    }
  }

  /** Called now and then: a lost name that no object has any more is free again. */
  forgetLost(): void {
    this.#lost.clear();
  }

  #start({ size }: AddressSpace): bigint {
    return size === 0n ? 0n : BigInt(Math.floor(this.#random() * Number.MAX_SAFE_INTEGER)) % size;
  }

  async #create(name: string, spec: UnderlayAddressSpec): Promise<UnderlayAddressObject | "lost"> {
    this.#creating.add(name);
    try {
      const object = await this.#store.create(name, spec);
      if (object !== undefined) return object;
      this.#lost.add(name); // another node was first; its object is on its way here
      return "lost";
    } finally {
      this.#creating.delete(name);
    }
  }

  /**
   * Calls of many nodes that all go for a pool's last addresses are refused by the API server, and each refusal is a write for
   * nothing: so many at a time as leave some addresses for each node.
   */
  #atOnce(pool: Pool): number {
    const holders = this.#holders(pool);
    const free = Number(pool.spaces.free.size) - holders.length;
    const each = free / (FREE_FOR_EACH * shareOf(this.#store.node, holders).of);
    return Math.max(1, Math.min(AT_ONCE, Math.floor(each)));
  }

  #share(pool: Pool): Share {
    return shareOf(this.#store.node, this.#holders(pool));
  }

  /** The node of every address that is taken. */
  #holders({ name }: Pool): readonly string[] {
    return this.#store.addresses().flatMap(({ spec }) => (spec.pool === name ? [spec.node] : []));
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
