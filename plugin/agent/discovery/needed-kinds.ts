import { overlayCandidates, serviceCandidates } from "./network-sources.ts";
import type { Observations } from "./observations.ts";

/** Kinds that have an object for every node, followed only where a fact depends on them. */
export type CostlyKind = "calicoBlocks" | "nodes";

/**
 * Says which costly kinds the facts depend on.
 *
 * Blocks tell whether a disabled Calico pool is in use. Nodes tell the pods' networks where nothing else does, and which external
 * addresses of Services are other nodes' own.
 */
export function neededKinds(o: Observations): readonly CostlyKind[] {
  const ignore = (): void => undefined;
  const isNamed = (sources: readonly (readonly [string, readonly string[]])[], setting: string): boolean =>
    sources.some(([, texts]) => texts.length > 0) ||
    [setting, `${o.nodeName}.${setting}`].some((key) => (o.settings[key] ?? "").trim() !== "");
  const withoutNodes = { ...o, nodes: [] };
  const needsNodes =
    o.serviceAddresses.length > 0 ||
    !isNamed(overlayCandidates(withoutNodes, ignore), "overlayCidrs") ||
    !isNamed(serviceCandidates(withoutNodes, ignore), "serviceCidrs");
  return [
    ...((o.calicoPools ?? []).some(({ disabled }) => disabled) ? (["calicoBlocks"] as const) : []),
    ...(needsNodes ? (["nodes"] as const) : []),
  ];
}
