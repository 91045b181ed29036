import type { IpFamily } from "../../clusters/spec/address-ranges.ts";
import { POD_TYPES, type PodType } from "../../results/schema.ts";
import {
  buildHostPodName,
  NODE_PORT_BACKEND,
  buildNodePortName,
  buildOwnServiceName,
  podName,
  buildServiceName,
  type TrafficPolicy,
} from "../pods/suite-pods.ts";
import { PROTOCOLS } from "../probe/protocol.ts";
import { listAttackCells } from "./attack-cells.ts";
import { listExternalTargetCells } from "./external-target-cells.ts";
import {
  type Cell,
  CONTROL_PLANE_NODE,
  EXTERNAL,
  isOnUnderlay,
  listNics,
  listPlacements,
  makeCell,
  type NodeRef,
} from "./cell.ts";
import { type Features, NO_FEATURES } from "./features.ts";
import { listLargePayloadCells } from "./large-payload-cells.ts";
import { listDnsCells, listHostPortCells, listPodNodePortCells, listVipCells } from "./service-cells.ts";

/** Returns every cell of one variant, for a cluster with N workers. Pure. */
export function listMatrixCells(
  workers: number,
  families: readonly IpFamily[] = ["ipv4"],
  features: Features = NO_FEATURES,
): readonly Cell[] {
  const ipv4 = ipv4Cells(workers, features);
  return families.flatMap((family, index) => {
    // The Service kubernetes has only an address of the first family, and so has an external target.
    const inFamily = ipv4.filter(({ group }) => index === 0 || !["api-server", "external-target"].includes(group));
    return family === "ipv4" ? inFamily : inFamily.map(overIpv6);
  });
}

const overIpv6 = (cell: Cell): Cell => ({ ...cell, family: "ipv6", id: `${cell.id}/ipv6` });

function ipv4Cells(workers: number, features: Features): readonly Cell[] {
  const nodes: readonly number[] = Array.from({ length: workers }, (_, index) => index);
  return [
    ...nodes.flatMap((node) => POD_TYPES.flatMap((source) => matrixCells(source, node, workers))),
    ...nodes.flatMap((node) => nodeCells(node, workers)),
    ...nodes.flatMap((node) => POD_TYPES.flatMap((type) => hostCells(type, node, workers))),
    ...nodes.flatMap((node) =>
      POD_TYPES.flatMap((type) => [...ownServiceCells(type, node), apiServerCell(type, node)]),
    ),
    ...nodes.flatMap(northSouthCells),
    ...listExternalTargetCells(workers, features),
    ...POD_TYPES.flatMap((type) => [
      ...([...nodes, CONTROL_PLANE_NODE] as const).flatMap((node) => nodePortCells(type, "Cluster", node)),
      ...nodes.flatMap((node) => nodePortCells(type, "Local", node)),
    ]),
    ...listPodNodePortCells(workers),
    ...listLargePayloadCells(workers),
    ...(features.dns ? listDnsCells(workers) : []),
    ...(features.vips ? listVipCells(workers) : []),
    ...(features.hostPorts ? listHostPortCells(workers) : []),
    ...listAttackCells(workers, features),
  ];
}

function matrixCells(source: PodType, node: number, workers: number): readonly Cell[] {
  const from = podName(source, node, "a");
  const common = { group: "matrix", source, from, sourceNode: node } as const;
  return POD_TYPES.flatMap((type) =>
    listPlacements(node, workers).flatMap(([targetNode, placement]) => {
      const server = podName(type, targetNode, "b");
      return [
        ...listNics(type).flatMap((nic) =>
          PROTOCOLS.map((protocol) =>
            makeCell({
              ...common,
              target: type,
              to: { kind: "pod", pod: server, nic },
              placement,
              protocol,
              server,
              reaches: { type, node: targetNode, nic },
              toOverlayAddress: !isOnUnderlay(type, nic),
            }),
          ),
        ),
        ...(["tcp", "udp"] as const).map((protocol) =>
          makeCell({
            ...common,
            target: `${type}-service`,
            to: { kind: "service", service: buildServiceName(type, targetNode) },
            placement,
            protocol,
            server,
            reaches: { type, node: targetNode, nic: "main" },
          }),
        ),
      ];
    }),
  );
}

function nodeCells(node: number, workers: number): readonly Cell[] {
  return POD_TYPES.flatMap((type) =>
    listNics(type).flatMap((nic) =>
      listPlacements(node, workers).flatMap(([targetNode, placement]) => {
        const server = podName(type, targetNode, "b");
        return PROTOCOLS.map((protocol) =>
          makeCell({
            group: "node-to-pod",
            source: "node",
            from: buildHostPodName(node),
            sourceNode: node,
            target: type,
            to: { kind: "pod", pod: server, nic },
            placement,
            protocol,
            server,
            reaches: { type, node: targetNode, nic },
          }),
        );
      }),
    ),
  );
}

/** Cells to a node's address, where a pod in the host network answers: macvlan alone cannot reach its own node. */
function hostCells(type: PodType, node: number, workers: number): readonly Cell[] {
  return listPlacements(node, workers).flatMap(([targetNode, placement]) =>
    PROTOCOLS.map((protocol) =>
      makeCell({
        group: "pod-to-node",
        source: type,
        from: podName(type, node, "a"),
        sourceNode: node,
        target: "node",
        to: { kind: "pod", pod: buildHostPodName(targetNode), nic: "main" },
        placement,
        protocol,
        server: buildHostPodName(targetNode),
        reaches: { type: "node", node: targetNode, nic: "main" },
      }),
    ),
  );
}

function ownServiceCells(type: PodType, node: number): readonly Cell[] {
  const server = podName(type, node, "a");
  return (["tcp", "udp"] as const).map((protocol) =>
    makeCell({
      group: "own-service",
      source: type,
      from: server,
      sourceNode: node,
      target: "own-service",
      to: { kind: "service", service: buildOwnServiceName(type, node) },
      placement: "same-node",
      protocol,
      server,
      reaches: { type, node, nic: "main" },
    }),
  );
}

function apiServerCell(type: PodType, node: number): Cell {
  return makeCell({
    group: "api-server",
    source: type,
    from: podName(type, node, "a"),
    sourceNode: node,
    target: "api-server",
    to: { kind: "api-server" },
    placement: "other-node",
    protocol: "tcp",
    reaches: undefined,
  });
}

/** Cells between the external host and underlay addresses, in both directions, without translation. */
function northSouthCells(node: number): readonly Cell[] {
  const ends = [
    { type: "underlay", nic: "main" },
    { type: "multi-nic", nic: "net1" },
  ] as const;
  return ends.flatMap(({ type, nic }) =>
    PROTOCOLS.flatMap((protocol) => [
      makeCell({
        group: "north-south",
        source: "external",
        from: EXTERNAL,
        target: type,
        to: { kind: "pod", pod: podName(type, node, "b"), nic },
        placement: "outside",
        protocol,
        server: podName(type, node, "b"),
        reaches: { type, node, nic },
      }),
      makeCell({
        group: "north-south",
        source: type,
        from: podName(type, node, "a"),
        sourceNode: node,
        target: "external",
        to: { kind: "external" },
        placement: "outside",
        protocol,
        server: EXTERNAL,
        reaches: { type: "external", node: undefined, nic: "main" },
      }),
    ]),
  );
}

/**
 * Cells from the external host to a Service by each node's address; with policy Local the node's pod answers and sees the
 * client.
 */
function nodePortCells(type: PodType, policy: TrafficPolicy, node: NodeRef): readonly Cell[] {
  const local = policy === "Local";
  const backend = local && typeof node === "number" ? node : NODE_PORT_BACKEND;
  return (["tcp", "udp"] as const).map((protocol) =>
    makeCell({
      group: local ? "node-port-local" : "node-port-cluster",
      source: "external",
      from: EXTERNAL,
      target: `${type}-node-port`,
      to: { kind: "node-port", service: buildNodePortName(type, policy), node },
      placement: "outside",
      protocol,
      server: podName(type, backend, "b"),
      reaches: { type, node: backend, nic: "main" },
    }),
  );
}
