import { z } from "zod";
import { type Ip, parseIp } from "../../datapath/address.ts";
import type { AddressSpace } from "./address-space.ts";

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

/** Finds the occupants whose addresses are in a pool, each address once, sorted. */
export function findOccupied(space: AddressSpace, occupants: readonly Occupant[]): readonly Occupant[] {
  const found = new Map<string, Occupant>();
  for (const { address, by } of occupants) {
    const ip = toIp(address);
    if (ip !== undefined && !found.has(ip) && space.has(ip)) found.set(ip, { address: ip, by });
  }
  return [...found.values()].sort((a, b) => a.address.localeCompare(b.address));
}

function toIp(text: string): Ip | undefined {
  try {
    return parseIp(text);
  } catch {
    return undefined; // a Node's Hostname, an ingress that is a name
  }
}
