import type { UnderlayAddressObject, UnderlayAddressSpec } from "../../kubernetes/objects.ts";
import type { Ip } from "../../datapath/address.ts";
import { type Pool, findShard } from "../pool/select-pools.ts";
import { KeyedSemaphore } from "../waiting/keyed-semaphore.ts";
import type { AddressSpace, NodeShard } from "../pool/address-space.ts";
import type { AddressStore } from "../records/address-store.ts";
import { toObjectName } from "../pool/object-name.ts";

/** Upper bound of concurrent creations of one node in one pool, and how many free addresses there must be for each. */
const MAX_CONCURRENT = 4;
const FREE_FOR_EACH = 16;

/** Takes a free address by creating its object. If another node was first, tries the next address. */
export class AddressPicker {
  readonly #store: AddressStore;
  readonly #random: () => number;
  /** Names that this agent is creating. */
  readonly #creating = new Set<string>();
  readonly #semaphore = new KeyedSemaphore();
  /** Names that another node created, until their watch events arrive. */
  readonly #takenByOthers = new Set<string>();

  constructor(store: AddressStore, random: () => number) {
    this.#store = store;
    this.#random = random;
  }

  /**
   * @param asked addresses that the pod requests; undefined: any of the pool
   * @returns undefined if no address is known to be free
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
      return ip === undefined ? Promise.resolve(undefined) : this.#create(toObjectName(ip), spec(ip));
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

  /** Called periodically: a name whose object was deleted since is free again. */
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
      this.#takenByOthers.add(name); // another node was first; the watch event will follow
      return "lost";
    } finally {
      this.#creating.delete(name);
    }
  }

  /**
   * Limits concurrency when few addresses are left: nodes that compete for a pool's last addresses cause failed writes.
   */
  #limitConcurrency(pool: Pool): number {
    const holders = this.#listHolders(pool);
    const free = Number(pool.spaces.free.size) - holders.length;
    const each = free / (FREE_FOR_EACH * findShard(this.#store.node, holders).count);
    return Math.max(1, Math.min(MAX_CONCURRENT, Math.floor(each)));
  }

  #findShard(pool: Pool): NodeShard {
    return findShard(this.#store.node, this.#listHolders(pool));
  }

  /** Returns the node of every address in use. */
  #listHolders({ name }: Pool): readonly string[] {
    return this.#store.addresses().flatMap(({ spec }) => (spec.pool === name ? [spec.node] : []));
  }

  #isTaken(ip: Ip): boolean {
    const name = toObjectName(ip);
    if (this.#store.address(name) !== undefined) {
      this.#takenByOthers.delete(name);
      return true;
    }
    return this.#creating.has(name) || this.#takenByOthers.has(name);
  }
}
