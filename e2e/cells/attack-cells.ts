import { podName } from "../pods/suite-pods.ts";
import { type Attack, type Cell, type Draft, EXTERNAL, listPlacements, makeCell } from "./cell.ts";
import type { Features } from "./features.ts";

/**
 * Returns cells for datagrams that an underlay pod sends by its link to the node and that must not arrive: with the source address
 * of another pod, and to a destination to which the pod has no route through its node.
 */
export function listAttackCells(workers: number, { sourceGuard, forwardDrop }: Features): readonly Cell[] {
  return Array.from({ length: workers }, (_, node) => node).flatMap((node) => [
    ...(sourceGuard ? spoofedSourceCells(node, workers) : []),
    ...(forwardDrop ? [nodeAsRouterCell(node)] : []),
  ]);
}

function spoofedSourceCells(sourceNode: number, workers: number): readonly Cell[] {
  const victims = [podName("overlay", sourceNode, "a"), podName("underlay", sourceNode, "b")];
  return victims.flatMap((endpoint) =>
    listPlacements(sourceNode, workers).map(([targetNode, placement]) =>
      makeCell({
        ...describeAttacker(sourceNode, { kind: "spoofed-source", claims: { endpoint, nic: "main" } }),
        target: "overlay",
        to: { kind: "pod", pod: podName("overlay", targetNode, "b"), nic: "main" },
        placement,
        server: podName("overlay", targetNode, "b"),
        reaches: { type: "overlay", node: targetNode, nic: "main" },
      }),
    ),
  );
}

function nodeAsRouterCell(sourceNode: number): Cell {
  return makeCell({
    ...describeAttacker(sourceNode, { kind: "node-as-router" }),
    target: "external",
    to: { kind: "external" },
    placement: "outside",
    server: EXTERNAL,
    reaches: { type: "external", node: undefined, nic: "main" },
  });
}

function describeAttacker(
  sourceNode: number,
  attack: Attack,
): Pick<Draft, "group" | "source" | "protocol" | "from" | "sourceNode" | "attack"> {
  const from = podName("underlay", sourceNode, "a");
  return { group: "attack", source: "underlay", protocol: "udp", from, sourceNode, attack };
}
