import type { ClusterInventory } from "./inventory/inventory.ts";
import type { ExistingOptions } from "./existing-options.ts";
import type { InventoryNode } from "./inventory/read-nodes.ts";

/** The nodes of a cluster, by their use in a run. */
export interface NodeChoice {
  /** Nodes that get pods. */
  readonly chosen: readonly InventoryNode[];
  /** Nodes that cannot get pods, with the reason: `w3 (not Ready)`. */
  readonly unusable: readonly string[];
  /** Number of nodes that could get pods, but exceed the maximum. */
  readonly spare: number;
}

type NodeOptions = Pick<ExistingOptions, "workers" | "datapath" | "nodeSelector">;

/**
 * Chooses the nodes that get pods. Candidates are the nodes of the label selector; without a selector, the workers; in a cluster
 * without workers, the control plane. Candidates of different zones come first, so that paths between zones are tested; within a
 * zone they are sorted by name. Pure.
 */
export function chooseNodes(
  { nodes, interlay }: Pick<ClusterInventory, "nodes" | "interlay">,
  { workers: limit, datapath, nodeSelector }: NodeOptions,
): NodeChoice {
  const selected = nodes.filter((node) => node.selected);
  const workers = selected.filter(({ controlPlane }) => !controlPlane);
  const candidates = nodeSelector !== undefined || workers.length === 0 ? selected : workers;
  // The run itself installs an agent on every node if there is none.
  const isInstalled = datapath === "interlay" && interlay?.installedBySuite === false && interlay.returnPaths.size > 0;
  const agents = isInstalled ? interlay.returnPaths : undefined;
  const assessed = candidates.map((node) => ({ node, reason: explainUnusable(node, agents) }));
  const usable = assessed.flatMap(({ node, reason }) => (reason === undefined ? [node] : []));
  const sorted = spreadOverZones(usable.toSorted(compareNames));
  return {
    chosen: sorted.slice(0, limit),
    unusable: assessed
      .flatMap(({ node, reason }) => (reason === undefined ? [] : [`${node.name} (${reason})`]))
      .toSorted((a, b) => compareNames({ name: a }, { name: b })),
    spare: Math.max(0, sorted.length - limit),
  };
}

/** Returns why a node cannot get pods; undefined if it can. @param agents by node name; undefined: no agent is required */
function explainUnusable(
  { name, ready, schedulable, os }: InventoryNode,
  agents: ReadonlyMap<string, unknown> | undefined,
): string | undefined {
  if (!ready) return "not Ready";
  if (!schedulable) return "unschedulable";
  if (os !== "linux") return os;
  return agents === undefined || agents.has(name) ? undefined : "without Interlay's agent: no NodeState";
}

function compareNames(a: Pick<InventoryNode, "name">, b: Pick<InventoryNode, "name">): number {
  return a.name.localeCompare(b.name, "en", { numeric: true });
}

/** Returns the first node of every zone, then the second of every zone, and so on. */
function spreadOverZones(sorted: readonly InventoryNode[]): readonly InventoryNode[] {
  const counts = new Map<string, number>();
  const ranked = sorted.map((node) => {
    const rank = counts.get(node.zone) ?? 0;
    counts.set(node.zone, rank + 1);
    return { node, rank };
  });
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ node }) => node);
}

/** Describes the nodes that a run leaves out, one sentence for each reason; empty if it uses all. Pure. */
export function describeLeftOut({ unusable, spare }: Pick<NodeChoice, "unusable" | "spare">): readonly string[] {
  return [
    ...(unusable.length === 0 ? [] : [`These nodes get no pods: ${unusable.join(", ")}.`]),
    ...(spare === 0 ? [] : [`${spare} more nodes could get pods: raise --nodes to use them.`]),
  ];
}
