import type { UnderlayAddressObject, UnderlayAddressSpec } from "../agent/objects.ts";
import type { Ip } from "../datapath/address.ts";
import { objectName, type Pool, shareOf } from "./choose.ts";
import { KeyedSemaphore } from "./keyed-semaphore.ts";
import type { AddressSpace, NodeShard } from "./pool.ts";
import type { AddressStore } from "./store.ts";

/** Creations of one node under way in one pool: at the most, and as long as so many addresses are free for each of them. */
const MAX_CONCURRENT = 4;
const FREE_FOR_EACH = 16;

/** Takes a free address by making its object; where another node was first, the next one. */
export class AddressPicker {
  readonly #store: AddressStore;
  readonly #random: () => number;
  /** Names that calls of this agent are about to create. */
  readonly #creating = new Set<string>();
  readonly #semaphore = new KeyedSemaphore();
  /** Names that another node created, until the watch tells of them. */
  readonly #takenByOthers = new Set<string>();

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
      const ip = space.findFree(
        asked === undefined ? this.#randomStart(space) : 0n,
        (candidate) => notHere(candidate) || this.#isTaken(candidate),
        asked === undefined ? this.#findShard(pool) : undefined,
      );
      return ip === undefined ? Promise.resolve(undefined) : this.#create(objectName(ip), spec(ip));
    };
    const notHere = (ip: Ip): boolean => asked !== undefined && !pool.spaces.all.has(ip);
    for (;;) {
      const made =
        asked === undefined
          ? await this.#semaphore.run(pool.name, () => this.#limitConcurrency(pool), pickAndCreate)
          : await pickAndCreate();
      if (made !== "lost") return made;
    }
  }

  /** Called now and then: a lost name that no object has any more is free again. */
  forgetTakenByOthers(): void {
    this.#takenByOthers.clear();
  }

  #randomStart({ size }: AddressSpace): bigint {
    return size === 0n ? 0n : BigInt(Math.floor(this.#random() * Number.MAX_SAFE_INTEGER)) % size;
  }

  async #create(name: string, spec: UnderlayAddressSpec): Promise<UnderlayAddressObject | "lost"> {
    this.#creating.add(name);
    try {
      const object = await this.#store.create(name, spec);
      if (object !== undefined) return object;
      this.#takenByOthers.add(name); // another node was first; its object is on its way here
      return "lost";
    } finally {
      this.#creating.delete(name);
    }
  }

  /**
   * Calls of many nodes that all go for a pool's last addresses are refused by the API server, and each refusal is a write for
   * nothing: so many at a time as leave some addresses for each node.
   */
  #limitConcurrency(pool: Pool): number {
    const holders = this.#listHolders(pool);
    const free = Number(pool.spaces.free.size) - holders.length;
    const each = free / (FREE_FOR_EACH * shareOf(this.#store.node, holders).count);
    return Math.max(1, Math.min(MAX_CONCURRENT, Math.floor(each)));
  }

  #findShard(pool: Pool): NodeShard {
    return shareOf(this.#store.node, this.#listHolders(pool));
  }

  /** The node of every address that is taken. */
  #listHolders({ name }: Pool): readonly string[] {
    return this.#store.addresses().flatMap(({ spec }) => (spec.pool === name ? [spec.node] : []));
  }

  #isTaken(ip: Ip): boolean {
    const name = objectName(ip);
    if (this.#store.address(name) !== undefined) {
      this.#takenByOthers.delete(name);
      return true;
    }
    return this.#creating.has(name) || this.#takenByOthers.has(name);
  }
}
