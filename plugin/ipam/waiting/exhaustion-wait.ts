import { setTimeout as sleep } from "node:timers/promises";
import { CniError, CODE } from "../../cni/error.ts";

/** Interval in which a waiting call looks for a free address. */
const INTERVAL_MS = 500;
/** Waiting times of a pod's first and of its later calls; the launcher waits 20 s for an answer. */
const FIRST_MS = 1000;
const MAX_MS = 10_000;
const FORGET_MS = 600_000;
/** The kubelet tries again within a minute: a pod without a call for longer does not wait any more. */
const WAITING_MS = 120_000;

export interface WaitClock {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<unknown>;
}

export const SYSTEM_CLOCK: WaitClock = { now: Date.now, sleep: (milliseconds) => sleep(milliseconds) };

interface RefusedCalls {
  readonly calls: number;
  readonly refusedAt: number;
  readonly isWanted: () => boolean;
}

/**
 * Holds calls that find no free address, longer with each call of a pod. A call that fails at once would make the runtime delete and
 * create the pod's sandbox, with its overlay attachment, every few seconds.
 */
export class ExhaustionWait {
  readonly #clock: WaitClock;
  /** NIC of a pod -> its refused calls, and when the last one ended. */
  readonly #refused = new Map<string, RefusedCalls>();

  constructor(clock: WaitClock) {
    this.#clock = clock;
  }

  /**
   * Repeats an allocation until an address is free.
   *
   * @param key the NIC of the pod
   * @param isWanted returns false if the pod is being deleted
   * @throws CniError the last error, after the waiting time or for another reason than a missing address
   */
  async run<T>(key: string, allocate: () => Promise<T>, isWanted: () => boolean): Promise<T> {
    const calls = this.#refused.get(key)?.calls ?? 0;
    const until = this.#clock.now() + Math.min(MAX_MS, FIRST_MS * 2 ** calls);
    for (;;) {
      try {
        const result = await allocate();
        this.#refused.delete(key);
        return result;
      } catch (error) {
        const isMissing = error instanceof CniError && error.code === CODE.noAddress;
        if (!isMissing || !isWanted()) throw error;
        this.#remember(key, { calls: calls + 1, refusedAt: this.#clock.now(), isWanted });
        if (this.#clock.now() + INTERVAL_MS > until) throw error;
      }
      await this.#clock.sleep(INTERVAL_MS);
    }
  }

  /** Returns the NICs of pods that wait for an address, as `key` in run(). */
  listWaiting(): readonly string[] {
    const now = this.#clock.now();
    return [...this.#refused].flatMap(([key, { refusedAt, isWanted }]) =>
      now - refusedAt <= WAITING_MS && isWanted() ? [key] : [],
    );
  }

  #remember(key: string, refused: RefusedCalls): void {
    for (const [oldKey, { refusedAt }] of this.#refused)
      if (refused.refusedAt - refusedAt > FORGET_MS) this.#refused.delete(oldKey);
    this.#refused.set(key, refused);
  }
}
