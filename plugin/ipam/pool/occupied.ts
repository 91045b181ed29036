import { z } from "zod";
import { type Ip, parseIp } from "../../datapath/address.ts";
import type { AddressSpace } from "./address-space.ts";

/** An address that the cluster itself uses: a pod that got it would take its traffic. */
export interface Occupant {
  readonly address: string;
  /** For people: `Node n1`, `Service shop/web`. */
  readonly by: string;
}

/** The part of a pool's status by which the leader says it to every node. */
const occupiedStatus = z.object({ occupied: z.array(z.object({ address: z.string(), by: z.string() })).default([]) });

/** More of one pool are not listed: its status is one object. */
const MOST = 1000;

/** Reads the occupied addresses from a pool's status; a status that the leader has not written yet has none. */
export function readOccupied(status: unknown): readonly Occupant[] {
  const parsed = occupiedStatus.safeParse(status);
  return parsed.success ? parsed.data.occupied.filter(({ address }) => toIp(address) !== undefined) : [];
}

/** Chooses those that a pool would give, in a stable order and each once. */
export function findOccupied(space: AddressSpace, occupants: readonly Occupant[]): readonly Occupant[] {
  const found = new Map<string, Occupant>();
  for (const { address, by } of occupants) {
    const ip = toIp(address);
    if (ip !== undefined && !found.has(ip) && space.has(ip)) found.set(ip, { address: ip, by });
  }
  return [...found.values()].sort((a, b) => a.address.localeCompare(b.address)).slice(0, MOST);
}

function toIp(text: string): Ip | undefined {
  try {
    return parseIp(text);
  } catch {
    return undefined; // a Node's Hostname, an ingress that is a name
  }
}
