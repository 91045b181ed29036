import { POD_TYPES, type PodType } from "../../results/schema.ts";
import {
  hostPodName,
  NODE_PORT_BACKEND,
  nodePortName,
  ownServiceName,
  podName,
  serviceName,
  type TrafficPolicy,
} from "../pods/pods.ts";
import type { Family } from "../../clusters/spec.ts";
import { type Protocol, PROTOCOLS, TCP_PORT } from "../probe/protocol.ts";

/** What is asked, by name: addresses are known once pods run. */
export type AddressRef =
  | { readonly kind: "pod"; readonly pod: string; readonly nic: Nic }
  | { readonly kind: "service"; readonly service: string }
  | { readonly kind: "node-port"; readonly service: string; readonly node: number | typeof CONTROL_PLANE }
  | { readonly kind: "api-server" }
  | { readonly kind: "external" };

/** `main`: the PodIP. `net1`: a multi-NIC pod's macvlan address. */
export type Nic = "main" | "net1";
export type Group =
  | "matrix"
  | "node-to-pod"
  | "pod-to-node"
  | "own-service"
  | "api-server"
  | "north-south"
  | "node-port-cluster"
  | "node-port-local";
export const GROUPS: readonly Group[] = [
  "matrix",
  "node-to-pod",
  "pod-to-node",
  "own-service",
  "api-server",
  "north-south",
  "node-port-cluster",
  "node-port-local",
];
export type Placement = "same-node" | "other-node" | "outside";
/** Who asks: a pod, or `EXTERNAL`. */
export const EXTERNAL = "external";
/** The node that runs no pod of ours. */
export const CONTROL_PLANE = "control-plane";

export interface Cell {
  /** Stable over runs and clusters: no address, no node name in it. */
  readonly id: string;
  readonly group: Group;
  readonly source: PodType | "node" | "external";
  readonly from: string;
  /** Index of the worker that the asking side runs on; undefined for the external host. */
  readonly sourceNode: number | undefined;
  readonly target: string;
  readonly to: AddressRef;
  readonly placement: Placement;
  readonly protocol: Protocol;
  readonly family: Family;
  /** 0: the Service's own. */
  readonly port: number;
  /** The pod that must answer; undefined where anything may (API server) or can (ICMP). */
  readonly server: string | undefined;
  /** The source address that the server must see; undefined where the documents leave it open (NAT). */
  readonly keepsSource: { readonly endpoint: string; readonly nic: Nic } | undefined;
  /** An overlay pod's address, or a multi-NIC pod's overlay address; no Service. */
  readonly toOverlayAddress: boolean;
}

type Draft = Pick<Cell, "group" | "source" | "from" | "target" | "to" | "placement" | "protocol"> &
  Partial<Pick<Cell, "sourceNode" | "port" | "server" | "keepsSource" | "toOverlayAddress">>;

/** Every cell of one variant, for a cluster with that many workers. Pure. */
export function cells(workers: number, families: readonly Family[] = ["ipv4"]): readonly Cell[] {
  const ipv4 = ipv4Cells(workers);
  return families.flatMap((family, index) => {
    // The Service kubernetes has an address of the first family alone.
    const there = ipv4.filter(({ group }) => index === 0 || group !== "api-server");
    return family === "ipv4" ? there : there.map(overIpv6);
  });
}

const overIpv6 = (cell: Cell): Cell => ({ ...cell, family: "ipv6", id: `${cell.id}/ipv6` });

function ipv4Cells(workers: number): readonly Cell[] {
  const nodes: readonly number[] = Array.from({ length: workers }, (_, index) => index);
  return [
    ...nodes.flatMap((node) => POD_TYPES.flatMap((source) => matrixCells(source, node, workers))),
    ...nodes.flatMap((node) => nodeCells(node, workers)),
    ...nodes.flatMap((node) => POD_TYPES.flatMap((type) => hostCells(type, node, workers))),
    ...nodes.flatMap((node) =>
      POD_TYPES.flatMap((type) => [...ownServiceCells(type, node), apiServerCell(type, node)]),
    ),
    ...nodes.flatMap(northSouthCells),
    ...POD_TYPES.flatMap((type) => [
      ...([...nodes, CONTROL_PLANE] as const).flatMap((node) => nodePortCells(type, "Cluster", node)),
      ...nodes.flatMap((node) => nodePortCells(type, "Local", node)),
    ]),
  ];
}

/** A worker's own index or its neighbour's: each node is source and target of "other node" once. */
function placements(node: number, workers: number): readonly (readonly [number, Placement])[] {
  return workers < 2
    ? [[node, "same-node"]]
    : [
        [node, "same-node"],
        [(node + 1) % workers, "other-node"],
      ];
}

/** The addresses of a type's pod: multi-NIC pods have two. */
function nics(type: PodType): readonly Nic[] {
  return type === "multi-nic" ? ["main", "net1"] : ["main"];
}

const onUnderlay = (type: PodType, nic: Nic) => type === "underlay" || nic === "net1";

/** Which of its addresses a pod speaks with, by its routing table; undefined where Calico or kube-proxy translate. */
function speaksWith(source: PodType, targetOnUnderlay: boolean): Nic | undefined {
  if (source === "overlay") return targetOnUnderlay ? undefined : "main"; // Calico's natOutgoing
  return source === "multi-nic" && targetOnUnderlay ? "net1" : "main";
}

function matrixCells(source: PodType, node: number, workers: number): readonly Cell[] {
  const from = podName(source, node, "a");
  const common = { group: "matrix", source, from, sourceNode: node } as const;
  return POD_TYPES.flatMap((type) =>
    placements(node, workers).flatMap(([targetNode, placement]) => {
      const server = podName(type, targetNode, "b");
      return [
        ...nics(type).flatMap((nic) => {
          const keeps = speaksWith(source, onUnderlay(type, nic));
          return PROTOCOLS.map((protocol) =>
            cell({
              ...common,
              target: type,
              to: { kind: "pod", pod: server, nic },
              placement,
              protocol,
              server,
              keepsSource: keeps && { endpoint: from, nic: keeps },
              toOverlayAddress: !onUnderlay(type, nic),
            }),
          );
        }),
        ...(["tcp", "udp"] as const).map((protocol) =>
          cell({
            ...common,
            target: `${type}-service`,
            to: { kind: "service", service: serviceName(type, targetNode) },
            placement,
            protocol,
            server,
          }),
        ),
      ];
    }),
  );
}

function nodeCells(node: number, workers: number): readonly Cell[] {
  return POD_TYPES.flatMap((type) =>
    nics(type).flatMap((nic) =>
      placements(node, workers).flatMap(([targetNode, placement]) => {
        const server = podName(type, targetNode, "b");
        return PROTOCOLS.map((protocol) =>
          cell({
            group: "node-to-pod",
            source: "node",
            from: hostPodName(node),
            sourceNode: node,
            target: type,
            to: { kind: "pod", pod: server, nic },
            placement,
            protocol,
            server,
          }),
        );
      }),
    ),
  );
}

/** A node's own address, where a pod of the host network answers: by macvlan alone there is no way to one's own. */
function hostCells(type: PodType, node: number, workers: number): readonly Cell[] {
  return placements(node, workers).flatMap(([targetNode, placement]) =>
    PROTOCOLS.map((protocol) =>
      cell({
        group: "pod-to-node",
        source: type,
        from: podName(type, node, "a"),
        sourceNode: node,
        target: "node",
        to: { kind: "pod", pod: hostPodName(targetNode), nic: "main" },
        placement,
        protocol,
        server: hostPodName(targetNode),
      }),
    ),
  );
}

function ownServiceCells(type: PodType, node: number): readonly Cell[] {
  const server = podName(type, node, "a");
  return (["tcp", "udp"] as const).map((protocol) =>
    cell({
      group: "own-service",
      source: type,
      from: server,
      sourceNode: node,
      target: "own-service",
      to: { kind: "service", service: ownServiceName(type, node) },
      placement: "same-node",
      protocol,
      server,
    }),
  );
}

function apiServerCell(type: PodType, node: number): Cell {
  return cell({
    group: "api-server",
    source: type,
    from: podName(type, node, "a"),
    sourceNode: node,
    target: "api-server",
    to: { kind: "api-server" },
    placement: "other-node",
    protocol: "tcp",
  });
}

/** The outside world and underlay addresses, both ways, nobody translated. */
function northSouthCells(node: number): readonly Cell[] {
  const ends = [
    { type: "underlay", nic: "main" },
    { type: "multi-nic", nic: "net1" },
  ] as const;
  return ends.flatMap(({ type, nic }) =>
    PROTOCOLS.flatMap((protocol) => [
      cell({
        group: "north-south",
        source: "external",
        from: EXTERNAL,
        target: type,
        to: { kind: "pod", pod: podName(type, node, "b"), nic },
        placement: "outside",
        protocol,
        server: podName(type, node, "b"),
        keepsSource: { endpoint: EXTERNAL, nic: "main" },
      }),
      cell({
        group: "north-south",
        source: type,
        from: podName(type, node, "a"),
        sourceNode: node,
        target: "external",
        to: { kind: "external" },
        placement: "outside",
        protocol,
        server: EXTERNAL,
        keepsSource: { endpoint: podName(type, node, "a"), nic },
      }),
    ]),
  );
}

/** From the outside to a Service by each node's address; with policy Local by its own pod, which sees who asked. */
function nodePortCells(type: PodType, policy: TrafficPolicy, node: number | typeof CONTROL_PLANE): readonly Cell[] {
  const local = policy === "Local";
  const backend = local && typeof node === "number" ? node : NODE_PORT_BACKEND;
  return (["tcp", "udp"] as const).map((protocol) =>
    cell({
      group: local ? "node-port-local" : "node-port-cluster",
      source: "external",
      from: EXTERNAL,
      target: `${type}-node-port`,
      to: { kind: "node-port", service: nodePortName(type, policy), node },
      placement: "outside",
      protocol,
      server: podName(type, backend, "b"),
      ...(local ? { keepsSource: { endpoint: EXTERNAL, nic: "main" } as const } : {}),
    }),
  );
}

function cell(draft: Draft): Cell {
  const { group, from, to, placement, protocol } = draft;
  return {
    sourceNode: undefined,
    server: undefined,
    keepsSource: undefined,
    toOverlayAddress: false,
    family: "ipv4",
    port: protocol === "icmp" ? 0 : TCP_PORT,
    ...draft,
    ...(protocol === "icmp" ? { server: undefined, keepsSource: undefined } : {}),
    id: `${group}/${from}/${nameOf(to)}/${placement}/${protocol}`,
  };
}

function nameOf(to: AddressRef): string {
  switch (to.kind) {
    case "pod":
      return to.nic === "main" ? to.pod : `${to.pod}:${to.nic}`;
    case "service":
      return `service:${to.service}`;
    case "node-port":
      return `node-port:${to.service}@${typeof to.node === "number" ? hostPodName(to.node) : to.node}`;
    case "api-server":
    case "external":
      return to.kind;
  }
}
