export type ProbeProtocol = "tcp" | "udp" | "icmp";
type PodKind = "overlay" | "underlay" | "multi-nic" | "node";
/** Kind of target. `multi-nic` is the overlay address of a multi-NIC pod, `multi-nic:net1` its macvlan address. */
export type Target =
  | "overlay"
  | "underlay"
  | "multi-nic"
  | "multi-nic:net1"
  | "overlay-service"
  | "underlay-service"
  | "multi-nic-service"
  | "api-server"
  /** NodePort of a Service with externalTrafficPolicy Local. */
  | "node-port-local";

/** Cells of the matrix that a finding makes fail. An absent property matches any value. */
export interface CellPattern {
  readonly sources?: readonly PodKind[];
  readonly sourceNode?: string;
  /** `namespace/name` */
  readonly sourcePod?: string;
  readonly targets?: readonly Target[];
  readonly targetNode?: string;
  readonly targetPod?: string;
  /** Network that contains the target's address. */
  readonly targetCidr?: string;
  readonly placement?: "same-node" | "other-node";
  readonly protocols?: readonly ProbeProtocol[];
}

/** A problem that the doctor found. */
export interface Finding {
  readonly check: string;
  /** `fails`: the cells below fail. `start`: pods cannot start. `warning`: nothing fails yet. */
  readonly severity: "fails" | "start" | "warning";
  /** Name of the node; empty for the whole cluster. */
  readonly node: string;
  /** The problem, the object and the cause, in one sentence. */
  readonly message: string;
  /** Action for the user. */
  readonly remedy: string;
  readonly cells: readonly CellPattern[];
}

/** Network of all IPv4 addresses, for settings of that family: rp_filter, ip_forward, chains of iptables. */
export const IPV4 = "0.0.0.0/0";

export const SERVICE_TARGETS: readonly Target[] = [
  "overlay-service",
  "underlay-service",
  "multi-nic-service",
  "api-server",
];
/** Targets whose address is in an overlay network. */
export const OVERLAY_ADDRESSES: readonly Target[] = ["overlay", "multi-nic"];

/** Describes the cells in words, such as "underlay on n1 -> overlay on the other node by tcp". */
export function describePattern(pattern: CellPattern): string {
  const from = pattern.sourcePod ?? `${(pattern.sources ?? ["any pod"]).join(", ")}${formatNode(pattern.sourceNode)}`;
  const to = pattern.targetPod ?? `${(pattern.targets ?? ["anything"]).join(", ")}${formatNode(pattern.targetNode)}`;
  return [
    `${from} -> ${to}`,
    ...(pattern.targetPod !== undefined && pattern.targets !== undefined ? [`as ${pattern.targets.join(", ")}`] : []),
    ...(pattern.targetCidr === undefined ? [] : [pattern.targetCidr === IPV4 ? "(IPv4)" : `in ${pattern.targetCidr}`]),
    ...(pattern.placement === undefined ? [] : [`on the ${pattern.placement.replace("-", " ")}`]),
    ...(pattern.protocols === undefined ? [] : [`by ${pattern.protocols.join(", ")}`]),
  ].join(" ");
}

function formatNode(node: string | undefined): string {
  return node === undefined ? "" : ` on ${node}`;
}
