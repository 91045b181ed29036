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

/** Status of a pool as far as it follows from pools, addresses and occupants. Its conditions have no times yet. */
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
      message: `${address} of pod ${pod.namespace}/${pod.name}${more} is no longer in the ranges: no other pod gets it, and it is released with its pod.`,
    },
  ];
}

/** Condition for addresses that another host on the underlay has, with its MAC address. */
function buildConflictsCondition(marked: readonly UnderlayAddressSpec[]): readonly PoolCondition[] {
  if (marked.length === 0) return [];
  const some = marked.slice(0, MAX_NAMED).map(({ address, conflict = "" }) => `${address} (${conflict})`);
  const more = marked.length > MAX_NAMED ? ` and ${marked.length - MAX_NAMED} more` : "";
  return [
    {
      type: "Conflicts",
      status: "True",
      reason: "InUseOnTheWire",
      message: `Other hosts have ${some.join(", ")}${more}: no pod gets them until \`interlay ipam release\` releases them, or the pool excludes them.`,
    },
  ];
}

/** Condition for addresses that Nodes and Services have: they are skipped. */
function buildOccupiedCondition(occupants: readonly Occupant[]): readonly PoolCondition[] {
  if (occupants.length === 0) return [];
  const some = occupants.slice(0, MAX_NAMED).map(({ address, by }) => `${address} (${by})`);
  const more = occupants.length > MAX_NAMED ? ` and ${occupants.length - MAX_NAMED} more` : "";
  return [
    {
      type: "Occupied",
      status: "True",
      reason: "UsedByTheCluster",
      message: `${some.join(", ")}${more} are in its ranges: they are given to no pod. Exclude them, or choose other ranges.`,
    },
  ];
}

/**
 * Builds the condition by which a pool can be used.
 *
 * @param other an earlier pool with the same addresses
 * @param excess what the pool's status cannot list
 */
function buildReadyCondition({
  other,
  excess,
  disabled,
  deleted,
  inUse,
}: {
  readonly other: string | undefined;
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
 * Counts each pool's addresses. Totals are exact up to what JSON's numbers hold.
 * @param occupants addresses of all nodes and Services
 * @param reservations reserved ranges of the cluster; absent: as the pools' statuses list them
 */
export function summarizePools(
  view: Pick<ControllerCache, "underlayPools" | "underlayAddresses">,
  occupants: readonly Occupant[] = [],
  reservations?: readonly ReservedRange[],
): ReadonlyMap<string, PoolSummary> {
  const { valid: good, invalid: bad } = parsePools(view.underlayPools.values());
  const clash = findOverlappingPools(good);
  const index = new OccupantIndex(occupants);
  const addresses = view.underlayAddresses.values();
  const groups = groupAddresses(good, addresses, new Set(clash.keys()));
  const objects = new Map(view.underlayPools.values().map((object) => [object.metadata.name, object]));
  const statuses = new Map<string, PoolSummary>();
  for (const pool of good) {
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
    const other = clash.get(name);
    const listed = excess === undefined ? inReservations : reserveWholePool(spaces.all, excess);
    const kept = [...listed, ...inRanges.map(({ address, by }) => ({ range: address, namespaces: [], by }))];
    const forAnyPod = subtractReservations(reservations === undefined ? spaces.free : specified.free, kept);
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
      reservations: [...listed],
      conditions: [
        ...buildDrainingCondition(left.map(({ spec }) => spec)),
        ...buildConflictsCondition(marked),
        ...buildOccupiedCondition(inRanges),
        buildReadyCondition({ other, excess, disabled, deleted, inUse: used.length + left.length }),
      ],
    });
  }
  for (const [name, problem] of bad)
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
