import type { UnderlayPoolObject } from "../../kubernetes/objects.ts";
import type { Pool } from "./select-pools.ts";
import { readReservations, subtractReservations } from "./reservations.ts";
import { readOccupied } from "./occupied.ts";
import { parsePoolSpaces } from "./address-space.ts";
import { getErrorMessage } from "../../errors/error-message.ts";

interface Pools {
  readonly valid: readonly Pool[];
  /** Name -> reason. */
  readonly invalid: ReadonlyMap<string, string>;
}

let cached: { readonly objects: readonly UnderlayPoolObject[]; readonly pools: Pools } | undefined;
/** Object -> its pool, or the reason why it is invalid: one that changes does not make the others be parsed again. */
const parsed = new WeakMap<UnderlayPoolObject, Pool | string>();

/** Parses pools for allocation. An invalid pool is reported in `invalid` and not used. */
export function parsePools(objects: readonly UnderlayPoolObject[]): Pools {
  const isUnchanged =
    cached?.objects.length === objects.length && cached.objects.every((object, i) => object === objects[i]);
  if (cached !== undefined && isUnchanged) return cached.pools;
  const validPools: Pool[] = [];
  const reasons = new Map<string, string>();
  for (const object of objects) {
    const pool = parsed.get(object) ?? parsePool(object);
    parsed.set(object, pool);
    if (typeof pool === "string") reasons.set(object.metadata.name, pool);
    else validPools.push(pool);
  }
  cached = { objects: [...objects], pools: { valid: validPools, invalid: reasons } };
  return cached.pools;
}

/** @returns the reason if the pool is invalid */
function parsePool({ metadata, spec, status }: UnderlayPoolObject): Pool | string {
  try {
    const reservations = readReservations(status);
    const spaces = parsePoolSpaces({
      ...spec,
      excluded: [...spec.excluded, ...readOccupied(status).map(({ address }) => address)],
    });
    return {
      name: metadata.name,
      created: metadata.creationTimestamp,
      spaces: { ...spaces, free: subtractReservations(spaces.free, reservations) },
      reservations,
      routes: spec.routes,
      priority: spec.priority,
      reservePerNode: spec.reservePerNode,
      disabled: spec.disabled || metadata.deletionTimestamp !== undefined,
      isDefault: spec.default,
      selection: {
        nodes: spec.nodeSelector,
        namespaces: spec.namespaceSelector,
        pods: spec.podSelector,
        nodeNames: spec.nodeNames,
        namespaceNames: spec.namespaces,
        networks: spec.networks,
      },
    };
  } catch (error) {
    return getErrorMessage(error);
  }
}
