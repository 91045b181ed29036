import { Informer } from "../../kubernetes/informer.ts";
import type { KubeClient } from "../../kubernetes/kube-client.ts";
import { RESOURCE, underlayAddress, type UnderlayAddressObject } from "../../kubernetes/objects.ts";
import { selectBlock } from "../../ipam/records/address-labels.ts";
import { logInvalidObject } from "../status/agent-log.ts";
import type { BlockView } from "../../ipam/records/address-store.ts";

/** Time without an allocation after which the watch of a block ends, in milliseconds. */
const IDLE_MS = 300_000;
const CHECK_MS = 60_000;
/** Upper bound of watched blocks. */
const MAX_OPEN = 16;

interface OpenBlock {
  readonly informer: Informer<UnderlayAddressObject>;
  usedAt: number;
}

/** Watches the addresses of the blocks in which this node allocates. */
export class BlockViews {
  readonly #kube: KubeClient;
  readonly #now: () => number;
  /** Watched blocks by name, the least recently used first. */
  readonly #open = new Map<string, OpenBlock>();
  #timer: NodeJS.Timeout | undefined;

  /** @param now milliseconds of any clock */
  constructor(kube: KubeClient, now: () => number = () => performance.now()) {
    this.#kube = kube;
    this.#now = now;
  }

  /** Returns the addresses in use of a block. @throws if they cannot be listed */
  async open(name: string): Promise<BlockView> {
    const block = this.#open.get(name) ?? this.#start(name);
    this.#timer ??= setInterval(() => {
      this.closeIdle();
    }, CHECK_MS).unref();
    block.usedAt = this.#now();
    this.#open.delete(name);
    this.#open.set(name, block);
    this.closeIdle();
    try {
      await block.informer.waitUntilListed();
    } catch (error) {
      this.#close(name, block);
      throw error;
    }
    return block.informer;
  }

  closeIdle(): void {
    const since = this.#now() - IDLE_MS;
    for (const [name, block] of this.#open)
      if (block.usedAt < since || this.#open.size > MAX_OPEN) this.#close(name, block);
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const [name, block] of this.#open) this.#close(name, block);
  }

  /** Applies a local write before its event arrives. */
  applyLocalWrite(block: string, object: unknown): void {
    this.#open.get(block)?.informer.applyLocalWrite(object);
  }

  applyLocalDelete(block: string, name: string, uid: string): void {
    this.#open.get(block)?.informer.applyLocalDelete(name, uid);
  }

  #start(name: string): OpenBlock {
    const selection = { labelSelector: selectBlock(name) };
    const informer = new Informer(this.#kube, RESOURCE.underlayAddresses, (object) => underlayAddress.parse(object), {
      selection,
      reportInvalid: logInvalidObject,
    });
    return { informer: informer.start(), usedAt: this.#now() };
  }

  #close(name: string, { informer }: OpenBlock): void {
    informer.stop();
    if (this.#open.get(name)?.informer === informer) this.#open.delete(name);
  }
}
