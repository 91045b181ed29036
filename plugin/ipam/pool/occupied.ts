import { z } from "zod";
import { type Family, getFamily, type Ip, parseIp } from "../../datapath/address.ts";
import { type AddressSpace, toNumber } from "./address-space.ts";
import { findFirstIndex } from "./find-first-index.ts";

/** An address that the cluster itself uses. A pod with it would get the traffic of the other user. */
export interface Occupant {
  readonly address: string;
  /** Description of the user: `Node n1`, `Service shop/web`. */
  readonly by: string;
}

/** The part of a pool's status by which the controller reports occupied addresses to all nodes. */
const occupiedStatus = z.object({ occupied: z.array(z.object({ address: z.string(), by: z.string() })).default([]) });

/** Upper bound of listed addresses per pool, because the status is one object. */
export const MAX_OCCUPIED = 1000;

/** Reads the occupied addresses from a pool's status; a status that the controller has not written yet has none. */
export function readOccupied(status: unknown): readonly Occupant[] {
  const parsed = occupiedStatus.safeParse(status);
  return parsed.success ? parsed.data.occupied.filter(({ address }) => toIp(address) !== undefined) : [];
}

interface NumberedOccupant extends Occupant {
  readonly number: bigint;
}

/** Occupants sorted by address, so that those of many pools are found without a look at each. */
export class OccupantIndex {
  readonly #sorted: Readonly<Record<Family, readonly NumberedOccupant[]>>;

  /** @param occupants of several with the same address the first counts */
  constructor(occupants: readonly Occupant[]) {
    const occupantsByIp = new Map<Ip, NumberedOccupant>();
    for (const { address, by } of occupants) {
      const ip = toIp(address);
      if (ip !== undefined && !occupantsByIp.has(ip)) occupantsByIp.set(ip, { address: ip, by, number: toNumber(ip) });
    }
    const sorted = [...occupantsByIp].sort(([, a], [, b]) => (a.number < b.number ? -1 : 1));
    const select = (family: Family) =>
      sorted.filter(([ip]) => getFamily(ip) === family).map(([, occupant]) => occupant);
    this.#sorted = { ipv4: select("ipv4"), ipv6: select("ipv6") };
  }

  /** Finds the occupants whose addresses are in a pool, sorted by text. */
  find(space: AddressSpace): readonly Occupant[] {
    const occupants = this.#sorted[space.family];
    return space.intervals
      .flatMap(({ first, last }) =>
        occupants.slice(findFirstIndex(occupants, first), findFirstIndex(occupants, last + 1n)),
      )
      .map(({ address, by }) => ({ address, by }))
      .sort((a, b) => a.address.localeCompare(b.address));
  }
}

function toIp(text: string): Ip | undefined {
  try {
    return parseIp(text);
  } catch {
    return undefined; // a Node's Hostname, an ingress that is a name
  }
}
