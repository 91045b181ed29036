import { parseIp } from "../../datapath/address.ts";
import { type ConflictRecord, readConflictRecords, removeConflictRecord } from "../../state/conflict-records.ts";
import { findPool } from "../pool/select-pools.ts";
import { parsePools } from "../pool/parse-pools.ts";
import type { Records } from "../records/records.ts";
import type { AddressStore } from "../records/address-store.ts";
import { toObjectName } from "../pool/object-name.ts";

/** Value of spec.conflict when the MAC of the other host is unknown. */
const UNKNOWN_HOST = "unknown";

/** Marks addresses that another host uses. They are not allocated until an operator deletes the object. */
export class Conflicts {
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #stateDirectory: string;
  readonly #onPublished: (note: ConflictRecord) => void;
  /** Names with a note on this node whose object is not marked yet. */
  #noted = new Set<string>();

  constructor(
    store: AddressStore,
    records: Records,
    stateDirectory: string,
    onPublished: (note: ConflictRecord) => void,
  ) {
    this.#store = store;
    this.#records = records;
    this.#stateDirectory = stateDirectory;
    this.#onPublished = onPublished;
  }

  has(name: string): boolean {
    return this.#noted.has(name) || this.#store.address(name)?.spec.conflict !== undefined;
  }

  /** Reads the notes. These addresses are not allocated from now on, marked or not. */
  readNotes(): readonly ConflictRecord[] {
    const notes = readConflictRecords(this.#stateDirectory);
    this.#noted = new Set(notes.map(({ address }) => toObjectName(parseIp(address))));
    for (const name of this.#noted) this.#records.remove(name);
    return notes;
  }

  /** Marks the objects of all notes, then removes the notes. Throws if the API server is unreachable; the notes stay. */
  async publishNotes(): Promise<void> {
    for (const note of this.readNotes()) {
      const name = toObjectName(parseIp(note.address));
      const object = this.#store.address(name);
      const conflict = note.mac === "" ? UNKNOWN_HOST : note.mac;
      if (object === undefined) {
        // Released in the meantime.
        const pool = findPool(parsePools(this.#store.pools()).valid, parseIp(note.address))?.name;
        if (pool !== undefined && (await this.#store.create(name, this.#spec(note, pool, conflict))) === undefined)
          continue; // taken by another node since: retried when its watch event arrives
      } else if (object.spec.conflict === undefined) {
        const { pod, node } = object.spec;
        // A pod of another node has the address now; its own conflict detection applies.
        const ours = node === this.#store.node && (pod.uid === note.pod.uid || object.spec.reserve);
        const marked = { ...this.#spec(note, object.spec.pool, conflict), owner: object.spec.owner };
        if (ours && (await this.#store.replace(object, marked)) === undefined) continue;
      }
      removeConflictRecord(note.address, this.#stateDirectory);
      this.#noted.delete(name);
      this.#onPublished(note);
    }
  }

  #spec({ address, ifname, pod }: ConflictRecord, pool: string, conflict: string) {
    const { node } = this.#store;
    return { address, pool, node, containerId: "", ifname, network: "", pod, conflict };
  }
}
