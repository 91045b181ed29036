import type { UnderlayAddressObject, UnderlayAddressSpec } from "../../kubernetes/objects.ts";
import type { Ip } from "../../datapath/address.ts";
import type { Pool } from "../pool/select-pools.ts";
import type { WaitClock } from "../waiting/exhaustion-wait.ts";
import { KeyedCounter } from "../waiting/keyed-counter.ts";
import { KeyedSemaphore } from "../waiting/keyed-semaphore.ts";
import { Contention } from "./contention.ts";
import {
  type AddressBlock,
  type BlockAddress,
  chooseFirstBlock,
  countBlocks,
  getBlock,
} from "../pool/address-blocks.ts";
import { AddressSpace, intersectRanges } from "../pool/address-space.ts";
import type { AddressStore, BlockView } from "../records/address-store.ts";
import { type ObservedBlock, observeBlock } from "./observe-block.ts";

/** Upper bound of concurrent creations of one node in one block, and how many free addresses there must be for each. */
const MAX_CONCURRENT = 4;
const FREE_FOR_EACH = 16;
/** Upper bound of blocks that one call looks at, and of creations in one block that another node made first. */
const MAX_BLOCKS = 64n;
const MAX_LOST = 16;
/** Upper bound of blocks of a pool that is watched as a whole while it is full. */
const MAX_WATCHED = 16n;
/** Upper bound of blocks whose addresses an error lists. */
const MAX_LISTED = 4n;

type BuildSpec = (ip: Ip) => UnderlayAddressSpec;

/**
 * Result of one attempt: the created object; `lost` if another node took the address first; `needed` if waiting calls of other
 * nodes need all free addresses; undefined if no address is free.
 */
type Outcome = UnderlayAddressObject | "lost" | "needed" | undefined;

/** Takes a free address by creating its object. If another node was first, tries the next address. */
export class AddressPicker {
  readonly #store: AddressStore;
  readonly #random: () => number;
  /** Names of the objects that this agent is creating. */
  readonly #creating = new Set<string>();
  readonly #semaphore = new KeyedSemaphore();
  /** Calls that take an address, and those of them that create its object, by block. */
  readonly #calls = new KeyedCounter();
  readonly #creations = new KeyedCounter();
  /** For each block, the end of the time in which other nodes learn that this node holds an address of it. */
  readonly #joined = new Map<string, Promise<void>>();
  /** Names of objects that other nodes created, until their watch events arrive. */
  readonly #takenByOthers = new Set<string>();
  /** Block in which this node allocates, by pool. */
  readonly #current = new Map<string, bigint>();
  /** Blocks of large pools that had no free address lately. */
  readonly #full = new Set<string>();

  readonly #contention: Contention;

  /** @param clock undefined: no call waits for what other nodes take */
  constructor(store: AddressStore, random: () => number, clock?: WaitClock) {
    this.#store = store;
    this.#random = random;
    this.#contention = new Contention(random, clock);
  }

  /**
   * @param requested addresses that the pod requests; undefined: any of the pool
   * @returns undefined if no address is known to be free
   */
  async takeAddress(
    pool: Pool,
    requested: AddressSpace | undefined,
    spec: BuildSpec,
  ): Promise<UnderlayAddressObject | undefined> {
    if (requested !== undefined) return this.#takeRequested(pool, requested, spec);
    const space = pool.spaces.free;
    const count = countBlocks(space);
    const first = this.#current.get(pool.name) ?? chooseFirstBlock(this.#store.node, pool.name, count);
    const blockLimit = count < MAX_BLOCKS ? count : MAX_BLOCKS;
    const neededBlocks: bigint[] = [];
    for (let step = 0n; step < blockLimit; step++) {
      const index = (first + step) % count;
      const block = getBlock(space, index);
      if (count > MAX_WATCHED && this.#full.has(block.name)) continue;
      const outcome = await this.#takeFrom(block, spec, false);
      if (outcome === "needed") neededBlocks.push(index);
      else if (outcome === undefined) this.#full.add(block.name);
      else {
        this.#current.set(pool.name, index);
        return outcome;
      }
    }
    if (count > blockLimit) this.#current.set(pool.name, (first + blockLimit) % count); // the next call continues there
    for (const index of neededBlocks) {
      const outcome = await this.#takeFrom(getBlock(space, index), spec, true);
      if (outcome === undefined || outcome === "needed") continue;
      this.#current.set(pool.name, index);
      return outcome;
    }
    return undefined;
  }

  /** Lists the objects of addresses that a pod requests, as far as an error names them. */
  async listHolders(requested: AddressSpace): Promise<ReadonlyMap<string, UnderlayAddressObject>> {
    const holders = new Map<string, UnderlayAddressObject>();
    for (let index = 0n; index < countBlocks(requested) && index < MAX_LISTED; index++)
      for (const object of (await this.#store.openBlock(getBlock(requested, index).name)).values())
        holders.set(object.metadata.name, object);
    return holders;
  }

  /** Called periodically: a name whose object was deleted since is free again. */
  forgetTakenByOthers(): void {
    this.#takenByOthers.clear();
    this.#full.clear();
  }

  async #takeRequested(
    pool: Pool,
    requested: AddressSpace,
    spec: BuildSpec,
  ): Promise<UnderlayAddressObject | undefined> {
    if (requested.family !== pool.spaces.all.family) return undefined;
    const space = new AddressSpace(requested.family, intersectRanges(requested.intervals, pool.spaces.all.intervals));
    const count = countBlocks(space);
    for (let index = 0n; index < count && index < MAX_BLOCKS; index++) {
      const block = getBlock(space, index);
      const view = await this.#store.openBlock(block.name);
      for (let attempt = 0; attempt < MAX_LOST; attempt++) {
        const candidate = block.addresses.find(({ name }) => !this.#isTaken(name, view));
        if (candidate === undefined) break;
        const outcome = await this.#create(candidate.name, spec(candidate.ip));
        if (outcome !== "lost") return outcome;
      }
    }
    return undefined;
  }

  /** @param competes whether to take an address that another node needs */
  #takeFrom(block: AddressBlock, spec: BuildSpec, competes: boolean): Promise<Exclude<Outcome, "lost">> {
    return this.#calls.count(block.name, async () => {
      const view = await this.#store.openBlock(block.name);
      for (let attempt = 0; attempt < MAX_LOST; attempt++) {
        const limit = (): number => this.#limitConcurrency(block, view);
        const take = () => this.#chooseAndCreate(block, view, spec, competes);
        const outcome = await this.#semaphore.run(block.name, limit, take);
        if (outcome !== "lost") return outcome;
      }
      return undefined;
    });
  }

  async #chooseAndCreate(block: AddressBlock, view: BlockView, spec: BuildSpec, competes: boolean): Promise<Outcome> {
    await this.#joined.get(block.name);
    const isNeeded = ({ free, preferred, spare }: ObservedBlock): boolean =>
      !competes && free.length > 0 && preferred.length === 0 && spare.length === 0;
    let observed = this.#observe(block, view);
    if (isNeeded(observed)) return "needed";
    if (observed.free.length > 0 && observed.preferred.length === 0) {
      await this.#contention.wait(observed.free.length, observed.nodes);
      observed = this.#observe(block, view);
    }
    if (isNeeded(observed)) return "needed";
    const chosen = this.#choose(block, observed);
    if (chosen === undefined) return undefined;
    const outcome = await this.#creations.count(block.name, () =>
      this.#create(chosen.name, spec(chosen.ip), this.#countWaiting(block)),
    );
    if (!observed.isKnown && outcome !== "lost") this.#joined.set(block.name, this.#contention.waitUntilSeen());
    return outcome;
  }

  /** Chooses the first address that this node prefers; while many are free any of them, so that a released one is not used again at once. */
  #choose({ addresses }: AddressBlock, { preferred, spare, free, isScarce }: ObservedBlock): BlockAddress | undefined {
    const list = [preferred, spare, free].find(({ length }) => length > 0) ?? [];
    if (isScarce) return list[0];
    const candidates = new Set(list);
    return addresses.filter((address) => candidates.has(address))[Math.floor(this.#random() * list.length)];
  }

  #observe(block: AddressBlock, view: BlockView): ObservedBlock {
    const waiting = this.#countWaiting(block);
    return observeBlock(block, view, {
      name: this.#store.node,
      waiting,
      isFree: ({ name }) => !this.#isTaken(name, view),
    });
  }

  #countWaiting({ name }: AddressBlock): number {
    return this.#calls.get(name) - this.#creations.get(name);
  }

  async #create(name: string, spec: UnderlayAddressSpec, waiting = 0): Promise<UnderlayAddressObject | "lost"> {
    this.#creating.add(name);
    try {
      const object = await this.#contention.measure(() => this.#store.createAddress(name, spec, waiting));
      if (object !== undefined) return object;
      this.#takenByOthers.add(name); // another node was first; the watch event will follow
      return "lost";
    } finally {
      this.#creating.delete(name);
    }
  }

  /**
   * Limits concurrency: of a node that the others do not know yet, with a busy API server, and when few addresses are left, because
   * nodes that compete for them cause refused creations.
   */
  #limitConcurrency({ space }: AddressBlock, view: BlockView): number {
    const holders = listHolders(view);
    const ownCount = holders.filter((node) => node === this.#store.node).length;
    const free = Number(space.size) - holders.length;
    const perNode = Math.floor(free / (FREE_FOR_EACH * new Set(holders).size));
    return Math.max(1, Math.min(MAX_CONCURRENT, ownCount, perNode, this.#contention.getConcurrency()));
  }

  #isTaken(name: string, view: BlockView): boolean {
    if (view.get(name) !== undefined || this.#store.getAddress(name) !== undefined) {
      this.#takenByOthers.delete(name);
      return true;
    }
    return this.#creating.has(name) || this.#takenByOthers.has(name);
  }
}

/** Returns the node of every address in use. */
function listHolders(view: BlockView): readonly string[] {
  return view.values().map(({ spec }) => spec.node);
}
