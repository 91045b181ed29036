import { countUnused, groupAddresses } from "./group-addresses.ts";
import type { z } from "zod";
import { findOverlappingPools } from "../ipam/pool/select-pools.ts";
import {
  findReservations,
  MAX_RESERVED_RANGES,
  reserveWholePool,
  subtractReservations,
  type ReservedRange,
} from "../ipam/pool/reservations.ts";
import { MAX_OCCUPIED, type Occupant, OccupantIndex } from "../ipam/pool/occupied.ts";
import { parsePoolSpaces } from "../ipam/pool/address-space.ts";
import { parsePools } from "../ipam/pool/parse-pools.ts";
import type { ControllerCache } from "./controller-cache.ts";
import type { UnderlayAddressSpec } from "../kubernetes/objects.ts";
import type { poolStatusSchema } from "../kubernetes/status-schemas.ts";

/** Status of a pool that follows from pools, addresses and occupants, without the times of its conditions. */
export type PoolSummary = Omit<
  z.infer<typeof poolStatusSchema>,
  "observedGeneration" | "nodesOutside" | "conditions"
> & {
  readonly reservations: readonly ReservedRange[];
  readonly conditions: readonly PoolCondition[];
};

interface PoolCondition {
  readonly type: "Ready" | "Draining" | "Conflicts" | "Occupied";
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
}

/** Greatest number of addresses that a condition names. */
const MAX_NAMED = 5;

/** Builds the condition of a pool whose ranges no longer contain all used addresses. */
function buildDrainingCondition(left: readonly UnderlayAddressSpec[]): readonly PoolCondition[] {
  const [first] = left;
  if (first === undefined) return [];
  const { address, pod } = first;
  const more = left.length === 1 ? "" : ` and ${left.length - 1} more`;
  return [
    {
      type: "Draining",
      status: "True",
      reason: "InUseOutsideRanges",
      message: `${address} of pod ${pod.namespace}/${pod.name}${more} is no longer in the ranges. No other pod gets this address, and Interlay releases it when the pod is deleted.`,
    },
  ];
}

/** Builds the condition of a pool with addresses that another host on the underlay uses. */
function buildConflictsCondition(marked: readonly UnderlayAddressSpec[]): readonly PoolCondition[] {
  if (marked.length === 0) return [];
  const named = marked.slice(0, MAX_NAMED).map(({ address, conflict = "" }) => `${address} (${conflict})`);
  const more = marked.length > MAX_NAMED ? ` and ${marked.length - MAX_NAMED} more` : "";
  return [
    {
      type: "Conflicts",
      status: "True",
      reason: "InUseOnTheWire",
      message: `Other hosts have ${named.join(", ")}${more}: no pod gets them until \`interlay ipam release\` releases them, or the pool excludes them.`,
    },
  ];
}

/** Builds the condition of a pool whose ranges contain addresses of Nodes and Services, which are skipped. */
function buildOccupiedCondition(occupants: readonly Occupant[]): readonly PoolCondition[] {
  if (occupants.length === 0) return [];
  const named = occupants.slice(0, MAX_NAMED).map(({ address, by }) => `${address} (${by})`);
  const more = occupants.length > MAX_NAMED ? ` and ${occupants.length - MAX_NAMED} more` : "";
  return [
    {
      type: "Occupied",
      status: "True",
      reason: "UsedByTheCluster",
      message: `${named.join(", ")}${more} are in its ranges: they are given to no pod. Exclude them, or choose other ranges.`,
    },
  ];
}

/**
 * Builds the condition Ready of a pool.
 *
 * @param other an earlier pool with the same addresses
 * @param excess description of the addresses that are too many for the pool's status
 * @param inUse number of addresses in use
 */
function buildReadyCondition({
  overlappingPool: other,
  excess,
  disabled,
  deleted,
  inUse,
}: {
  readonly overlappingPool: string | undefined;
  readonly excess: string | undefined;
  readonly disabled: boolean;
  readonly deleted: boolean;
  readonly inUse: number;
}): PoolCondition {
  const notReady = (reason: string, message: string): PoolCondition => ({
    type: "Ready",
    status: "False",
    reason,
    message,
  });
  if (other !== undefined)
    return notReady(
      "Overlap",
      `Its ranges overlap with those of the earlier UnderlayPool ${other}: it gives no address until they do not.`,
    );
  if (excess !== undefined)
    return notReady(
      "TooManyReserved",
      `Its ranges contain ${excess}: it gives no address. Join neighbouring ranges, exclude them, or divide the pool.`,
    );
  if (deleted)
    return notReady(
      "Deleted",
      `It is deleted: it gives no new address, and stays until the pods of its ${inUse} addresses in use are gone.`,
    );
  if (disabled)
    return notReady("Disabled", "It gives no new address, because its field disabled says so; pods keep theirs.");
  return { type: "Ready", status: "True", reason: "Giving", message: "Addresses are given out of this pool." };
}

/** Describes reserved or occupied addresses that are too many for a pool's status. */
function describeExcess(reservations: number, occupants: number): string | undefined {
  if (reservations > MAX_RESERVED_RANGES) return `${reservations} reserved ranges, more than ${MAX_RESERVED_RANGES}`;
  if (occupants > MAX_OCCUPIED) return `${occupants} addresses of nodes and Services, more than ${MAX_OCCUPIED}`;
  return undefined;
}

/**
 * Builds the status of each pool. Totals are exact up to the precision of JSON's numbers.
 * @param occupants addresses of all nodes and Services
 * @param reservations reserved ranges of the cluster; if undefined, those in the statuses of the pools
 */
export function summarizePools(
  cache: Pick<ControllerCache, "underlayPools" | "underlayAddresses">,
  occupants: readonly Occupant[] = [],
  reservations?: readonly ReservedRange[],
): ReadonlyMap<string, PoolSummary> {
  const { valid: validPools, invalid: invalidPools } = parsePools(cache.underlayPools.values());
  const overlappingPools = findOverlappingPools(validPools);
  const index = new OccupantIndex(occupants);
  const addresses = cache.underlayAddresses.values();
  const groups = groupAddresses(validPools, addresses, new Set(overlappingPools.keys()));
  const objects = new Map(cache.underlayPools.values().map((object) => [object.metadata.name, object]));
  const statuses = new Map<string, PoolSummary>();
  for (const pool of validPools) {
    const { name, spaces, disabled } = pool;
    const { used = [], left = [] } = groups.get(name) ?? {};
    const { spec, metadata } = objects.get(name) ?? {};
    const deleted = metadata?.deletionTimestamp !== undefined;
    if (spec === undefined) continue;
    const specified = parsePoolSpaces(spec);
    const inRanges = index.find(specified.all);
    const inReservations = reservations === undefined ? pool.reservations : findReservations(spaces.all, reservations);
    const excess = describeExcess(inReservations.length, inRanges.length);
    const total = Number(spaces.all.size);
    const other = overlappingPools.get(name);
    const listedReservations = excess === undefined ? inReservations : reserveWholePool(spaces.all, excess);
    const excluded = [
      ...listedReservations,
      ...inRanges.map(({ address, by }) => ({ range: address, namespaces: [], by })),
    ];
    const forAnyPod = subtractReservations(reservations === undefined ? spaces.free : specified.free, excluded);
    const isReserved = forAnyPod.size === 0n && excess === undefined;
    const marked = used.map(({ spec }) => spec).filter(({ conflict }) => conflict !== undefined);
    statuses.set(name, {
      total,
      used: used.length,
      free: countUnused(isReserved ? spaces.all : forAnyPod, used),
      conflicts: marked.length,
      reserved: used.filter(({ spec }) => spec.reserve).length,
      draining: left.length,
      occupied: inRanges.slice(0, MAX_OCCUPIED),
      reservations: [...listedReservations],
      conditions: [
        ...buildDrainingCondition(left.map(({ spec }) => spec)),
        ...buildConflictsCondition(marked),
        ...buildOccupiedCondition(inRanges),
        buildReadyCondition({ overlappingPool: other, excess, disabled, deleted, inUse: used.length + left.length }),
      ],
    });
  }
  for (const [name, problem] of invalidPools)
    statuses.set(name, {
      total: 0,
      used: 0,
      free: 0,
      conflicts: 0,
      reserved: 0,
      draining: addresses.filter(({ spec }) => spec.pool === name).length,
      occupied: [],
      reservations: [],
      conditions: [{ type: "Ready", status: "False", reason: "Wrong", message: `${problem}: it gives no address.` }],
    });
  return statuses;
}
