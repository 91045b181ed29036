import type { UndecidedCells } from "../../clusters/spec/environment.ts";
import type { Cluster } from "../../clusters/provider/provider.ts";
import { type Cell, EXTERNAL, type Group } from "./cell.ts";
import type { Features } from "./features.ts";
import { lacksLocalEndpoint } from "./cell-verdict.ts";

/** Properties of a cluster that decide which cells can be probed in it. */
export interface ClusterCapabilities extends Pick<Cluster, "nodeAccess" | "datapath"> {
  /** Whether an external host exists. */
  readonly outside: boolean;
  readonly features: Features;
  /** Whether it is known which connections kube-proxy treats as those of pods. */
  readonly podTrafficKnown: boolean;
  /** Cells whose result the environment leaves undecided. */
  readonly undecided?: UndecidedCells | undefined;
}

/** Returns the cells that can be probed in a cluster. Pure. */
export function listSupportedCells(
  allCells: readonly Cell[],
  { nodeAccess, outside, podTrafficKnown, undecided }: ClusterCapabilities,
): readonly Cell[] {
  return allCells.filter((cell) => {
    const { source, target, from, to } = cell;
    const involvesNode = source === "node" || target === "node";
    const involvesOutside = from === EXTERNAL || to.kind === "external";
    return (
      (nodeAccess !== "none" || !involvesNode) &&
      (outside || !involvesOutside) &&
      (podTrafficKnown || !lacksLocalEndpoint(cell)) &&
      undecided?.cells(cell) !== true
    );
  });
}

/**
 * Returns why no cell of a group can be probed in a cluster; undefined if some can. Pure.
 * @param allCells cells of every group
 */
export function explainUnsupportedGroup(
  group: Group,
  { nodeAccess, outside, features, undecided }: ClusterCapabilities,
  allCells: readonly Cell[] = [],
): string | undefined {
  if (!outside && ["north-south", "node-port-cluster", "node-port-local"].includes(group))
    return "the cluster has no external host";
  if (group === "external-target" && features.externalTarget === undefined)
    return "--external names no target outside of the cluster";
  if (nodeAccess === "none" && ["node-to-pod", "pod-to-node"].includes(group))
    return "no pods could be made in the nodes' network";
  if (group === "dns" && !features.dns) return "the cluster has no DNS Service with endpoints (kube-system/kube-dns)";
  if (group === "vip" && !features.vips) return "no node holds virtual addresses of Services in this environment";
  if (group === "host-port" && !features.hostPorts) return "the pod networks of this environment map no host ports";
  if (group === "attack" && !features.sourceGuard && !features.forwardDrop)
    return "the suite attacks only clusters that it created, with Interlay";
  return undecided !== undefined && isWhollyUndecided(group, undecided, allCells) ? undecided.reason : undefined;
}

function isWhollyUndecided(group: Group, undecided: UndecidedCells, allCells: readonly Cell[]): boolean {
  const cells = allCells.filter((cell) => cell.group === group);
  return cells.length > 0 && cells.every((cell) => undecided.cells(cell));
}
