import type { Cluster } from "../../clusters/provider.ts";
import type { CellResult } from "../../results/schema.ts";
import type { Cell } from "../matrix/cells.ts";
import { tokenOf } from "../matrix/run.ts";
import type { Deployment } from "../pods/deploy.ts";
import type { Tap } from "./capture.ts";
import { expectedPath } from "./expected.ts";
import { diedAt, wrongPath } from "./judge.ts";
import { pathsOf, type Places } from "./path.ts";

/** Adds to each result the way that its packets went, and fails one that was answered by another way than documented. */
export function withPaths(
  results: readonly CellResult[],
  cells: readonly Cell[],
  taps: readonly Tap[],
  places: Places,
): CellResult[] {
  const paths = pathsOf(taps, places);
  return results.map((result, index) => {
    const cell = cells[index];
    const expected = cell && expectedPath(cell);
    if (cell === undefined || expected === undefined) return result;
    const seen = paths.get(tokenOf(index)) ?? { request: [], reply: [] };
    const evidence = { ...result.evidence, path: { expected: mutable(expected), seen: mutable(seen) } };
    if (result.actual === "fail") return { ...result, evidence, reason: `${result.reason ?? ""}; ${diedAt(seen)}` };
    const wrong = wrongPath(expected, seen);
    return wrong === undefined
      ? { ...result, evidence }
      : { ...result, evidence, ok: false, reason: `answered, but not by the documented way: ${wrong}` };
  });
}

function mutable<T>({ request, reply }: { request: readonly T[]; reply: readonly T[] }): { request: T[]; reply: T[] } {
  return { request: [...request], reply: [...reply] };
}

export function placesOf(cluster: Cluster, deployment: Deployment): Places {
  const owners = new Map(cluster.nodes.map(({ name, address }) => [address, name]));
  for (const { node, addresses } of deployment.pods.values())
    for (const address of Object.values(addresses)) if (!owners.has(address)) owners.set(address, node);
  const nodes = new Set(cluster.nodes.map(({ name }) => name));
  return {
    isNode: (place) => nodes.has(place),
    name: (place) => {
      if (!nodes.has(place)) return place;
      const index = deployment.workers.indexOf(place);
      return index < 0 ? "control-plane" : `node-${index + 1}`;
    },
    nodeOf: (address) => owners.get(address),
  };
}
