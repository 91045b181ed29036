import type { IpFamily } from "../../clusters/spec/address-ranges.ts";
import type { PodType } from "../../results/schema.ts";
import { buildHostPodName } from "../pods/suite-pods.ts";
import { type Protocol, TCP_PORT } from "../probe/protocol.ts";

/** The node that runs no pod of the suite. */
export const CONTROL_PLANE_NODE = "control-plane";
/** A worker by its index, or the control plane. */
export type NodeRef = number | typeof CONTROL_PLANE_NODE;

/** Target of a cell, by name: addresses are known once pods run. */
export type AddressRef =
  | { readonly kind: "pod"; readonly pod: string; readonly nic: Nic }
  | { readonly kind: "service"; readonly service: string; readonly byName?: true }
  | { readonly kind: "node-port"; readonly service: string; readonly node: NodeRef }
  | { readonly kind: "vip"; readonly service: string; readonly node: number; readonly source: VipSource }
  | { readonly kind: "host-port"; readonly pod: string; readonly node: number }
  | { readonly kind: "api-server" }
  | { readonly kind: "external" }
  /** The target that the user names by --external. */
  | { readonly kind: "external-target" };

/** Where a virtual address of a Service is declared. */
type VipSource = "load-balancer" | "external-ip";

/** `main`: the PodIP. `net1`: a multi-NIC pod's macvlan address. */
export type Nic = "main" | "net1";

export const GROUPS = [
  "matrix",
  "node-to-pod",
  "pod-to-node",
  "own-service",
  "api-server",
  "north-south",
  "external-target",
  "node-port-cluster",
  "node-port-local",
  "pod-to-node-port-cluster",
  "pod-to-node-port-local",
  "large-payload",
  "dns",
  "vip",
  "host-port",
  "attack",
] as const;
export type Group = (typeof GROUPS)[number];

export type Placement = "same-node" | "other-node" | "outside";
/** The source of a cell outside the cluster: the external host. */
export const EXTERNAL = "external";

/** A program's address: that of a pod, or of the external host (`EXTERNAL`, `main`). */
export interface EndpointRef {
  readonly endpoint: string;
  readonly nic: Nic;
}

/** The server that the packets of a cell reach in the end, after all translations. */
export interface ServerRef {
  readonly type: PodType | "node" | "external";
  /** Index of its worker; undefined for the external host. */
  readonly node: number | undefined;
  /** The NIC whose address the packets have when they reach it. */
  readonly nic: Nic;
}

/** A packet that must not arrive, and the reason. */
export type Attack =
  { readonly kind: "spoofed-source"; readonly claims: EndpointRef } | { readonly kind: "node-as-router" };

export interface Cell {
  /** Stable over runs and clusters: without addresses and node names. */
  readonly id: string;
  readonly group: Group;
  readonly source: PodType | "node" | "external";
  readonly from: string;
  /** Index of the client's worker; undefined for the external host. */
  readonly sourceNode: number | undefined;
  readonly target: string;
  readonly to: AddressRef;
  readonly placement: Placement;
  readonly protocol: Protocol;
  readonly family: IpFamily;
  /** 0: the port of the Service. */
  readonly port: number;
  /** The pod that must answer; undefined for the API server, where any may, and for ICMP, where it is not known. */
  readonly server: string | undefined;
  /** Server of the packets; undefined for the API server. */
  readonly reaches: ServerRef | undefined;
  /** Whether the target is an overlay address, of an overlay pod or a multi-NIC pod, and not a Service. */
  readonly toOverlayAddress: boolean;
  /** Bytes in each direction; undefined: one line of text. */
  readonly bytes?: number;
  readonly attack?: Attack;
}

/** The properties of a cell that `makeCell` does not derive; optional ones have defaults. */
export type Draft = Pick<Cell, "group" | "source" | "from" | "target" | "to" | "placement" | "protocol" | "reaches"> &
  Partial<Pick<Cell, "sourceNode" | "port" | "server" | "toOverlayAddress" | "bytes" | "attack">>;

/** Completes an IPv4 cell with its id and the defaults. */
export function makeCell(draft: Draft): Cell {
  const { group, from, to, placement, protocol } = draft;
  return {
    sourceNode: undefined,
    server: undefined,
    toOverlayAddress: false,
    family: "ipv4",
    port: protocol === "icmp" ? 0 : TCP_PORT,
    ...draft,
    ...(protocol === "icmp" ? { server: undefined } : {}),
    id: [group, from, nameAddress(to), ...nameAttack(draft.attack), placement, protocol].join("/"),
  };
}

/** Whether a pod's address on that NIC belongs to the underlay. */
export const isOnUnderlay = (type: ServerRef["type"], nic: Nic): boolean => type === "underlay" || nic === "net1";

/** Returns a worker's index and that of the next one: each node is source and target of "other node" once. */
export function listPlacements(node: number, workers: number): readonly (readonly [number, Placement])[] {
  return workers < 2
    ? [[node, "same-node"]]
    : [
        [node, "same-node"],
        [(node + 1) % workers, "other-node"],
      ];
}

/** Returns the NICs of a type's pods that have an address: multi-NIC pods have two. */
export function listNics(type: PodType): readonly Nic[] {
  return type === "multi-nic" ? ["main", "net1"] : ["main"];
}

function nameAddress(to: AddressRef): string {
  switch (to.kind) {
    case "pod":
      return to.nic === "main" ? to.pod : `${to.pod}:${to.nic}`;
    case "service":
      return `${to.byName ? "name" : "service"}:${to.service}`;
    case "node-port":
      return `node-port:${to.service}@${typeof to.node === "number" ? buildHostPodName(to.node) : to.node}`;
    case "vip":
      return `${to.source}:${to.service}@${buildHostPodName(to.node)}`;
    case "host-port":
      return `host-port:${to.pod}@${buildHostPodName(to.node)}`;
    case "api-server":
    case "external":
    case "external-target":
      return to.kind;
  }
}

function nameAttack(attack: Attack | undefined): readonly string[] {
  if (attack === undefined) return [];
  return attack.kind === "spoofed-source" ? [`as:${attack.claims.endpoint}`] : [attack.kind];
}
