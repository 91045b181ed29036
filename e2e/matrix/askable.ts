import type { Cluster } from "../../clusters/provider.ts";
import { type Cell, EXTERNAL, type Group } from "./cells.ts";

/** What of a cluster decides which cells can be asked in it. */
export interface Ground extends Pick<Cluster, "nodeAccess" | "datapath"> {
  /** Whether there is a host outside of the cluster to ask, and to be asked. */
  readonly outside: boolean;
}

/**
 * The cells that can be asked there. Where another solution than Interlay is judged, what a server sees as the source is the
 * solution's own affair, and not asserted. Pure.
 */
export function askable(all: readonly Cell[], { nodeAccess, datapath, outside }: Ground): readonly Cell[] {
  return all
    .filter(({ source, target, from, to }) => {
      const withNode = source === "node" || target === "node";
      const withOutside = from === EXTERNAL || to.kind === "external";
      return (nodeAccess !== "none" || !withNode) && (outside || !withOutside);
    })
    .map((cell) => (datapath === "none" ? { ...cell, keepsSource: undefined } : cell));
}

/** Why no cell of a group is asked there; undefined: some are. Pure. */
export function notAskedBecause(group: Group, { nodeAccess, outside }: Ground): string | undefined {
  if (!outside && ["north-south", "node-port-cluster", "node-port-local"].includes(group))
    return "the cluster has no host outside of it that the suite could ask from";
  if (nodeAccess === "none" && ["node-to-pod", "pod-to-node"].includes(group))
    return "no pods could be made in the nodes' network";
  return undefined;
}
