import type { UnderlayAddressObject, UnderlayAddressSpec } from "../../kubernetes/objects.ts";
import type { Ip } from "../../datapath/address.ts";
import type { Pool } from "../pool/select-pools.ts";
import { listPreferredAddresses } from "../pool/preferred-addresses.ts";
import type { WaitClock } from "../waiting/exhaustion-wait.ts";
import { KeyedSemaphore } from "../waiting/keyed-semaphore.ts";
import { Contention } from "./contention.ts";
import { type AddressBlock, chooseFirstBlock, countBlocks, getBlock } from "../pool/address-blocks.ts";
import { AddressSpace, intersectRanges } from "../pool/address-space.ts";
import type { AddressStore, BlockView } from "../records/address-store.ts";
import { toObjectName } from "../pool/object-name.ts";

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

/** A block as this node sees it. */
interface ObservedBlock {
  readonly free: readonly Ip[];
  /** Free addresses that this node should take before others do. */
  readonly preferred: readonly Ip[];
  /** Nodes that hold addresses, and this one. */
  readonly nodes: ReadonlySet<string>;
}

type BuildSpec = (ip: Ip) => UnderlayAddressSpec;

/** Takes a free address by creating its object. If another node was first, tries the next address. */
export class AddressPicker {
  readonly #store: AddressStore;
  readonly #random: () => number;
  /** Names that this agent is creating. */
  readonly #creating = new Set<string>();
  readonly #semaphore = new KeyedSemaphore();
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
    for (let step = 0n; step < most; step++) {
      const index = (first + step) % count;
      const block = getBlock(space, index);
      if (count > MAX_WATCHED && this.#full.has(block.name)) continue;
      const made = await this.#takeFrom(block, spec);
      if (made === undefined) {
        this.#full.add(block.name);
        continue;
      }
      this.#current.set(pool.name, index);
      return made;
    }
    if (count > most) this.#current.set(pool.name, (first + most) % count); // the next call continues there
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
        const ip = block.space.findFree((candidate) => this.#isTaken(candidate, view));
        if (ip === undefined) break;
        const made = await this.#create(toObjectName(ip), spec(ip));
        if (made !== "lost") return made;
      }
    }
    return undefined;
  }

  async #takeFrom(block: AddressBlock, spec: BuildSpec): Promise<UnderlayAddressObject | undefined> {
    const view = await this.#store.openBlock(block.name);
    const pickAndCreate = async (): Promise<UnderlayAddressObject | "lost" | undefined> => {
      let observed = this.#observe(block, view);
      const { free, preferred, nodes } = observed;
      if (free.length > 0 && preferred.length === 0) {
        await this.#contention.wait(free.length, nodes.size);
        observed = this.#observe(block, view);
      }
      const ip = this.#choose(observed);
      return ip === undefined ? undefined : this.#create(toObjectName(ip), spec(ip));
    };
    for (let attempt = 0; attempt < MAX_LOST; attempt++) {
      const limit = (): number => this.#limitConcurrency(block, view);
      const made = await this.#semaphore.run(block.name, limit, pickAndCreate);
      if (made !== "lost") return made;
    }
    return undefined;
  }

  /** Chooses a free address at random, if possible one that no other node prefers. */
  #choose({ free, preferred }: ObservedBlock): Ip | undefined {
    const list = preferred.length > 0 ? preferred : free;
    return list[Math.floor(this.#random() * list.length)];
  }

  #observe({ space }: AddressBlock, view: BlockView): ObservedBlock {
    const holders = listHolders(view);
    const nodes = new Set(holders);
    const free = space.listAddresses().filter((ip) => !this.#isTaken(ip, view));
    const preferred = listPreferredAddresses(free, this.#store.node, nodes);
    return { free, preferred, nodes: nodes.add(this.#store.node) };
  }

  async #create(name: string, spec: UnderlayAddressSpec): Promise<UnderlayAddressObject | "lost"> {
    this.#creating.add(name);
    try {
      const object = await this.#contention.measure(() => this.#store.createAddress(name, spec));
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

  #isTaken(ip: Ip, view: BlockView): boolean {
    const name = toObjectName(ip);
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
