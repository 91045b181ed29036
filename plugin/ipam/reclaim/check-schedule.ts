/** Most addresses that are checked in a pass: each costs one or two requests to the API server. */
const MAX_CHECKS = 500;
/** Checks of an address of a node that is not ready, within the delay after which it may be released. */
const CHECKS_IN_DELAY = 10;

/** An address that the controller may have to release. */
export interface Candidate {
  /** Identifies the address and its holder. */
  readonly key: string;
  /** Whether its node was deleted, or only is not ready. */
  readonly node: "gone" | "silent";
}

/** Chooses which addresses of other nodes a pass checks, so that its cost does not grow with the number of those nodes. */
export class CheckSchedule {
  /** Key -> time of the last check, in milliseconds since the epoch. */
  readonly #checked = new Map<string, number>();

  /**
   * Selects the addresses whose checks are due, those first whose last check is the longest ago.
   *
   * @param candidates all addresses of nodes that do not release their own
   * @param withoutNode delay of a release while the node is not ready, in milliseconds
   * @param now milliseconds since the epoch
   */
  selectDue<T extends Candidate>(candidates: readonly T[], withoutNode: number, now: number): readonly T[] {
    this.#forgetOthers(candidates);
    const due = candidates
      .map((candidate) => ({ candidate, last: this.#checked.get(candidate.key) ?? Number.NEGATIVE_INFINITY }))
      .filter(({ candidate, last }) => candidate.node === "gone" || now - last >= withoutNode / CHECKS_IN_DELAY)
      .sort((a, b) => (a.last === b.last ? 0 : a.last < b.last ? -1 : 1))
      .slice(0, MAX_CHECKS);
    for (const { candidate } of due) this.#checked.set(candidate.key, now);
    return due.map(({ candidate }) => candidate);
  }

  #forgetOthers(candidates: readonly Candidate[]): void {
    const keys = new Set(candidates.map(({ key }) => key));
    for (const key of this.#checked.keys()) if (!keys.has(key)) this.#checked.delete(key);
  }
}
