import { listOverlaySources, listServiceSources } from "./network-sources.ts";
import type { Observations } from "./observations.ts";

/** Kinds that have an object for every node. The agent watches them only if a fact depends on them. */
export type PerNodeKind = "calicoBlocks" | "nodes";

/**
 * Lists the per-node kinds on which the facts of this cluster depend. Pure.
 *
 * Calico's blocks show whether a disabled pool is in use. Nodes are the last source of the pods' networks, and show which external
 * addresses of Services belong to other nodes.
 */
export function listNeededKinds(observations: Observations): readonly PerNodeKind[] {
  const ignore = (): void => undefined;
  const isNamed = (sources: readonly (readonly [string, readonly string[]])[], setting: string): boolean =>
    sources.some(([, texts]) => texts.length > 0) ||
    [setting, `${observations.nodeName}.${setting}`].some((key) => (observations.settings[key] ?? "").trim() !== "");
  const withoutNodes = { ...observations, nodes: [] };
  const needsNodes =
    observations.serviceAddresses.length > 0 ||
    !isNamed(listOverlaySources(withoutNodes, ignore), "overlayCidrs") ||
    !isNamed(listServiceSources(withoutNodes, ignore), "serviceCidrs");
  return [
    ...((observations.calicoPools ?? []).some(({ disabled }) => disabled) ? (["calicoBlocks"] as const) : []),
    ...(needsNodes ? (["nodes"] as const) : []),
  ];
}
