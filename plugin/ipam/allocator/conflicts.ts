import { parseIp } from "../../datapath/address.ts";
import { type ConflictRecord, readConflictRecords, removeConflictRecord } from "../../state/conflict-records.ts";
import { findPool } from "../pool/select-pools.ts";
import { parsePools } from "../pool/parse-pools.ts";
import type { Records } from "../records/address-records.ts";
import type { AddressStore } from "../records/address-store.ts";
import { toObjectName } from "../pool/object-name.ts";

/** Value of spec.conflict when the MAC of the other host is unknown. */
const UNKNOWN_HOST = "unknown";

/** Marks addresses that another host uses. They are not allocated until an operator deletes the object. */
export class Conflicts {
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #stateDirectory: string;
  readonly #onPublished: (record: ConflictRecord) => void;
  /** Names with a record on this node whose object is not marked yet. */
  #noted = new Set<string>();

  constructor(
    store: AddressStore,
    records: Records,
    stateDirectory: string,
    onPublished: (record: ConflictRecord) => void,
  ) {
    this.#store = store;
    this.#records = records;
    this.#stateDirectory = stateDirectory;
    this.#onPublished = onPublished;
  }

  has(name: string): boolean {
    return this.#noted.has(name) || this.#store.getAddress(name)?.spec.conflict !== undefined;
  }

  /** Reads the records. Their addresses are not allocated from now on, even if their objects are not marked yet. */
  readRecords(): readonly ConflictRecord[] {
    const records = readConflictRecords(this.#stateDirectory);
    this.#noted = new Set(records.map(({ address }) => toObjectName(parseIp(address))));
    for (const name of this.#noted) this.#records.remove(name);
    return records;
  }

  /** Marks the objects of all records, then removes the records. Throws if the API server is unreachable; the records stay. */
  async publishRecords(): Promise<void> {
    for (const record of this.readRecords()) {
      const name = toObjectName(parseIp(record.address));
      const object = this.#store.getAddress(name) ?? (await this.#store.readAddress(name));
      const conflict = record.mac === "" ? UNKNOWN_HOST : record.mac;
      if (object === undefined) {
        // Released in the meantime.
        const pool = findPool(parsePools(this.#store.listPools()).valid, parseIp(record.address))?.name;
        if (
          pool !== undefined &&
          (await this.#store.createAddress(name, this.#buildSpec(record, pool, conflict))) === undefined
        )
          continue; // taken by another node in this moment: looked at again later
      } else if (object.spec.conflict === undefined) {
        const { pod, node } = object.spec;
        // A pod of another node has the address now; its own conflict detection applies.
        const isOwn = node === this.#store.node && (pod.uid === record.pod.uid || object.spec.reserve);
        const marked = { ...this.#buildSpec(record, object.spec.pool, conflict), owner: object.spec.owner };
        if (isOwn && (await this.#store.replaceAddress(object, marked)) === undefined) continue;
      }
      removeConflictRecord(record.address, this.#stateDirectory);
      this.#noted.delete(name);
      this.#onPublished(record);
    }
  }

  #buildSpec({ address, ifname, pod }: ConflictRecord, pool: string, conflict: string) {
    const { node } = this.#store;
    return { address, pool, node, containerId: "", ifname, network: "", pod, conflict };
  }
}
