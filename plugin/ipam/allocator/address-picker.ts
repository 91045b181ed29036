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
/** Upper bound of blocks that one call looks at, and of creations in one block that others were faster with. */
const MAX_BLOCKS = 64n;
const MAX_LOST = 16;
/** Upper bound of blocks of a pool that is watched as a whole while it is full. */
const MAX_WATCHED = 16n;
/** Upper bound of blocks whose addresses an error lists. */
const MAX_LISTED = 4n;

type BuildSpec = (ip: Ip) => UnderlayAddressSpec;

/** `lost`: another node was first. `needed`: waiting calls of other nodes need all free addresses. Undefined: none is free. */
type Outcome = UnderlayAddressObject | "lost" | "needed" | undefined;

/** Takes a free address by creating its object. If another node was first, tries the next address. */
export class AddressPicker {
  readonly #store: AddressStore;
  readonly #random: () => number;
  /** Names that this agent is creating. */
  readonly #creating = new Set<string>();
  readonly #semaphore = new KeyedSemaphore();
  /** Calls that take an address, and those of them that create its object, by block. */
  readonly #calls = new KeyedCounter();
  readonly #creations = new KeyedCounter();
  /** Block -> end of the time in which other nodes learn that this node holds an address of it. */
  readonly #joined = new Map<string, Promise<void>>();
  /** Names that another node created, until their watch events arrive. */
  readonly #takenByOthers = new Set<string>();
  /** Pool -> block in which this node allocates. */
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
   * @param asked addresses that the pod requests; undefined: any of the pool
   * @returns undefined if no address is known to be free
   */
  async takeAddress(
    pool: Pool,
    asked: AddressSpace | undefined,
    spec: BuildSpec,
  ): Promise<UnderlayAddressObject | undefined> {
    if (asked !== undefined) return this.#takeAsked(pool, asked, spec);
    const space = pool.spaces.free;
    const count = countBlocks(space);
    const first = this.#current.get(pool.name) ?? chooseFirstBlock(this.#store.node, pool.name, count);
    const most = count < MAX_BLOCKS ? count : MAX_BLOCKS;
    const left: bigint[] = [];
    for (let step = 0n; step < most; step++) {
      const index = (first + step) % count;
      const block = getBlock(space, index);
      if (count > MAX_WATCHED && this.#full.has(block.name)) continue;
      const made = await this.#takeFrom(block, spec, false);
      if (made === "needed") left.push(index);
      else if (made === undefined) this.#full.add(block.name);
      else {
        this.#current.set(pool.name, index);
        return made;
      }
    }
    if (count > most) this.#current.set(pool.name, (first + most) % count); // the next call continues there
    for (const index of left) {
      const made = await this.#takeFrom(getBlock(space, index), spec, true);
      if (made === undefined || made === "needed") continue;
      this.#current.set(pool.name, index);
      return made;
    }
    return undefined;
  }

  /** Lists the objects of addresses that a pod requests, as far as an error names them. */
  async listHolders(asked: AddressSpace): Promise<ReadonlyMap<string, UnderlayAddressObject>> {
    const holders = new Map<string, UnderlayAddressObject>();
    for (let index = 0n; index < countBlocks(asked) && index < MAX_LISTED; index++)
      for (const object of (await this.#store.openBlock(getBlock(asked, index).name)).values())
        holders.set(object.metadata.name, object);
    return holders;
  }

  /** Called periodically: a name whose object was deleted since is free again. */
  forgetTakenByOthers(): void {
    this.#takenByOthers.clear();
    this.#full.clear();
  }

  async #takeAsked(pool: Pool, asked: AddressSpace, spec: BuildSpec): Promise<UnderlayAddressObject | undefined> {
    if (asked.family !== pool.spaces.all.family) return undefined;
    const space = new AddressSpace(asked.family, intersectRanges(asked.intervals, pool.spaces.all.intervals));
    const count = countBlocks(space);
    for (let index = 0n; index < count && index < MAX_BLOCKS; index++) {
      const block = getBlock(space, index);
      const view = await this.#store.openBlock(block.name);
      for (let attempt = 0; attempt < MAX_LOST; attempt++) {
        const found = block.addresses.find(({ name }) => !this.#isTaken(name, view));
        if (found === undefined) break;
        const made = await this.#create(found.name, spec(found.ip));
        if (made !== "lost") return made;
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
        const made = await this.#semaphore.run(block.name, limit, take);
        if (made !== "lost") return made;
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
    const made = await this.#creations.count(block.name, () =>
      this.#create(chosen.name, spec(chosen.ip), this.#countWaiting(block)),
    );
    if (!observed.isKnown && made !== "lost") this.#joined.set(block.name, this.#contention.waitUntilSeen());
    return made;
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
    const own = holders.filter((node) => node === this.#store.node).length;
    const free = Number(space.size) - holders.length;
    const each = Math.floor(free / (FREE_FOR_EACH * new Set(holders).size));
    return Math.max(1, Math.min(MAX_CONCURRENT, own, each, this.#contention.getConcurrency()));
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
