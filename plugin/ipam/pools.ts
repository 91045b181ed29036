import type { UnderlayPoolObject } from "../agent/objects.ts";
import type { Pool } from "./choose.ts";
import { poolSpaces } from "./pool.ts";

export interface Pools {
  readonly good: readonly Pool[];
  /** Name -> what is wrong with it. */
  readonly bad: ReadonlyMap<string, string>;
}

let known: { readonly objects: readonly UnderlayPoolObject[]; readonly pools: Pools } | undefined;

/** Pools as allocation wants them; one that makes no sense gives nothing, and is told. */
export function toPools(objects: readonly UnderlayPoolObject[]): Pools {
  const same = known?.objects.length === objects.length && known.objects.every((object, i) => object === objects[i]);
  if (known !== undefined && same) return known.pools;
  const good: Pool[] = [];
  const bad = new Map<string, string>();
  for (const { metadata, spec } of objects) {
    try {
      good.push({
        name: metadata.name,
        created: metadata.creationTimestamp,
        spaces: poolSpaces(spec),
        routes: spec.routes,
        priority: spec.priority,
        reservePerNode: spec.reservePerNode,
        ...(spec.nodeSelector === undefined ? {} : { nodeLabels: spec.nodeSelector.matchLabels }),
        ...(spec.namespaceSelector === undefined ? {} : { namespaceLabels: spec.namespaceSelector.matchLabels }),
        ...(spec.podSelector === undefined ? {} : { podLabels: spec.podSelector.matchLabels }),
      });
    } catch (error) {
      bad.set(metadata.name, error instanceof Error ? error.message : String(error));
    }
  }
  known = { objects: [...objects], pools: { good, bad } };
  return known.pools;
}
