export type Protocol = "tcp" | "udp" | "icmp";
export type Source = "overlay" | "underlay" | "multi-nic" | "node";
/** `multi-nic` is its overlay address, `multi-nic:net1` its macvlan address, `service` any Service. */
export type Target =
  | "overlay"
  | "underlay"
  | "multi-nic"
  | "multi-nic:net1"
  | "overlay-service"
  | "underlay-service"
  | "multi-nic-service"
  | "api-server"
  /** A NodePort of a Service with externalTrafficPolicy Local. */
  | "node-port-local";

/** The cells of the matrix that a finding makes fail; what is left out is "any". */
export interface CellPattern {
  readonly sources?: readonly Source[];
  readonly sourceNode?: string;
  /** `namespace/name` */
  readonly sourcePod?: string;
  readonly targets?: readonly Target[];
  readonly targetNode?: string;
  readonly targetPod?: string;
  /** Only addresses in this network. */
  readonly targetCidr?: string;
  readonly placement?: "same-node" | "other-node";
  readonly protocols?: readonly Protocol[];
}

/** Something that is not as it should be. */
export interface Finding {
  readonly check: string;
  /** `fails`: the cells below fail. `start`: pods cannot be made. `warning`: nothing fails by it yet. */
  readonly severity: "fails" | "start" | "warning";
  /** Empty: the whole cluster. */
  readonly node: string;
  /** One sentence: what, where, and why. */
  readonly message: string;
  /** What to do. */
  readonly remedy: string;
  readonly cells: readonly CellPattern[];
}

/** Every IPv4 address: rp_filter, ip_forward and a chain of iptables are of that family alone. */
export const IPV4 = "0.0.0.0/0";

export const SERVICES: readonly Target[] = ["overlay-service", "underlay-service", "multi-nic-service", "api-server"];
/** Addresses that Calico gives. */
export const OVERLAY_ADDRESSES: readonly Target[] = ["overlay", "multi-nic"];

/** In words, for people. */
export function describePattern(pattern: CellPattern): string {
  const from = pattern.sourcePod ?? `${(pattern.sources ?? ["any pod"]).join(", ")}${at(pattern.sourceNode)}`;
  const to = pattern.targetPod ?? `${(pattern.targets ?? ["anything"]).join(", ")}${at(pattern.targetNode)}`;
  return [
    `${from} -> ${to}`,
    ...(pattern.targetPod !== undefined && pattern.targets !== undefined ? [`as ${pattern.targets.join(", ")}`] : []),
    ...(pattern.targetCidr === undefined ? [] : [pattern.targetCidr === IPV4 ? "(IPv4)" : `in ${pattern.targetCidr}`]),
    ...(pattern.placement === undefined ? [] : [`on the ${pattern.placement.replace("-", " ")}`]),
    ...(pattern.protocols === undefined ? [] : [`by ${pattern.protocols.join(", ")}`]),
  ].join(" ");
}

function at(node: string | undefined): string {
  return node === undefined ? "" : ` on ${node}`;
}
