import { parseIp } from "../../datapath/address.ts";
import type { UnderlayAddressObject } from "../../kubernetes/objects.ts";
import { selectsNode, findOverlappingPools, type Pool, findPool } from "../pool/select-pools.ts";
import type { AddressRequest } from "./existing-claims.ts";
import type { AddressPicker } from "./address-picker.ts";
import { parsePools } from "../pool/parse-pools.ts";
import type { Records } from "../records/address-records.ts";
import type { AddressStore } from "../records/address-store.ts";

/**
 * Addresses that this node reserved in advance (`reservePerNode` of a pool), as UnderlayAddress objects. A new pod gets one of them
 * while the API server is unreachable, or when the pool has no other free address.
 */
export class Reserve {
  readonly #store: AddressStore;
  readonly #records: Records;
  readonly #picker: AddressPicker;
  readonly #hasConflict: (name: string) => boolean;
  /** Names of the addresses that calls are allocating. */
  readonly #taken = new Set<string>();

  /** @param hasConflict returns whether an address (by object name) is used by another host */
  constructor(store: AddressStore, records: Records, picker: AddressPicker, hasConflict: (name: string) => boolean) {
    this.#store = store;
    this.#records = records;
    this.#picker = picker;
    this.#hasConflict = hasConflict;
  }

  /** Takes one address, which no other call gets until `finish`. Returns undefined if none is left for these pools. */
  takeAddress({
    family,
    pools,
  }: Pick<AddressRequest, "family" | "pools">):
    { readonly object: UnderlayAddressObject; readonly pool: Pool } | undefined {
    const available = this.#listAvailable();
    for (const pool of pools) {
      if (pool.spaces.free.family !== family) continue;
      const object = available.find(({ spec }) => findPool([pool], parseIp(spec.address)) !== undefined);
      if (object === undefined) continue;
      this.#taken.add(object.metadata.name);
      return { object, pool };
    }
    return undefined;
  }

  /** Ends the exclusive use that `take` began: a record or object now names the owner. */
  finish(name: string): void {
    this.#taken.delete(name);
  }

  /** Reserves missing addresses and releases surplus ones. */
  async reconcile(): Promise<void> {
    const { valid: validPools } = parsePools(this.#store.listPools());
    const overlapping = findOverlappingPools(validPools);
    const available = this.#listAvailable();
    const keep = new Set<string>();
    for (const pool of validPools) {
      const node = { name: this.#store.node, labels: this.#store.getNodeLabels() };
      const unused = overlapping.has(pool.name) || pool.disabled || !selectsNode(pool.selection, node);
      const wanted = unused ? 0 : pool.reservePerNode;
      const poolReserve = available
        .filter(({ spec }) => spec.pool === pool.name && findPool([pool], parseIp(spec.address)) !== undefined)
        .slice(0, wanted);
      for (const { metadata } of poolReserve) keep.add(metadata.name);
      for (let missing = wanted - poolReserve.length; missing > 0; missing--) {
        const object = await this.#picker.takeAddress(pool, undefined, (ip) => ({
          address: ip,
          pool: pool.name,
          node: this.#store.node,
          containerId: "",
          ifname: "",
          network: "",
          pod: { namespace: "", name: "", uid: "" },
          reserve: true,
        }));
        if (object === undefined) break;
        keep.add(object.metadata.name);
      }
    }
    for (const object of available)
      if (!keep.has(object.metadata.name) && !this.#taken.has(object.metadata.name))
        await this.#store.deleteAddress(object);
  }

  /** Lists addresses reserved for this node that no pod uses; a record means that one was allocated offline. */
  #listAvailable(): readonly UnderlayAddressObject[] {
    const granted = new Set(this.#records.listRecords().map(({ name }) => name));
    return this.#store
      .listAddresses()
      .filter(
        ({ spec, metadata }) =>
          spec.reserve &&
          !this.#hasConflict(metadata.name) &&
          spec.node === this.#store.node &&
          !granted.has(metadata.name) &&
          !this.#taken.has(metadata.name),
      );
  }
}
