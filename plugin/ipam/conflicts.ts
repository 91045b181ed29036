import { parseIp } from "../datapath/address.ts";
import { type ConflictNote, readConflictNotes, removeConflictNote } from "../cni/conflict-notes.ts";
import { objectName, poolOf } from "./choose.ts";
import { parsePools } from "./pools.ts";
import type { Records } from "./records.ts";
import type { AddressStore } from "./store.ts";

/** What a mark says where the kernel does not tell who it was. */
const UNKNOWN_HOST = "unknown";

/** Marks what the plugin found to be somebody else's on the wire: given to nobody until an operator lets it go. */
export class Conflicts {
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #stateDirectory: string;
  readonly #onPublished: (note: ConflictNote) => void;
  /** Names of which a note says so, and no object yet. */
  #noted = new Set<string>();

  constructor(store: AddressStore, records: Records, stateDirectory: string, told: (note: ConflictNote) => void) {
    this.#store = store;
    this.#records = records;
    this.#stateDirectory = stateDirectory;
    this.#onPublished = told;
  }

  has(name: string): boolean {
    return this.#noted.has(name) || this.#store.address(name)?.spec.conflict !== undefined;
  }

  /** Reads the notes: from now on nobody gets these addresses, told or not. */
  readNotes(): readonly ConflictNote[] {
    const notes = readConflictNotes(this.#stateDirectory);
    this.#noted = new Set(notes.map(({ address }) => objectName(parseIp(address))));
    for (const name of this.#noted) this.#records.remove(name);
    return notes;
  }

  /** Tells the API server. A note stays until it has been told; throws when the API server is away. */
  async publishNotes(): Promise<void> {
    for (const note of this.readNotes()) {
      const name = objectName(parseIp(note.address));
      const object = this.#store.address(name);
      const conflict = note.mac === "" ? UNKNOWN_HOST : note.mac;
      if (object === undefined) {
        // Given back meanwhile.
        const pool = poolOf(parsePools(this.#store.pools()).valid, parseIp(note.address))?.name;
        if (pool !== undefined && (await this.#store.create(name, this.#spec(note, pool, conflict))) === undefined)
          continue; // another has taken it since: what is in the way is marked when that is known
      } else if (object.spec.conflict === undefined) {
        const { pod, node } = object.spec;
        // Another node's pod has it by now: it looks for itself.
        const ours = node === this.#store.node && (pod.uid === note.pod.uid || object.spec.reserve);
        const marked = { ...this.#spec(note, object.spec.pool, conflict), owner: object.spec.owner };
        if (ours && (await this.#store.replace(object, marked)) === undefined) continue;
      }
      removeConflictNote(note.address, this.#stateDirectory);
      this.#noted.delete(name);
      this.#onPublished(note);
    }
  }

  #spec({ address, ifname, pod }: ConflictNote, pool: string, conflict: string) {
    const { node } = this.#store;
    return { address, pool, node, containerId: "", ifname, network: "", pod, conflict };
  }
}
