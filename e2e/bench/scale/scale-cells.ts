import { POD_TYPES, type PodType } from "../../../results/schema.ts";

/** Probed addresses of a pod: its own, or its Service. */
export const SCALE_TARGETS = [
  "overlay",
  "underlay",
  "multi-nic",
  "multi-nic:net1",
  "service:overlay",
  "service:underlay",
  "service:multi-nic",
] as const;
type ScaleTarget = (typeof SCALE_TARGETS)[number];
const PROTOCOLS = ["tcp", "udp", "icmp"] as const;

/** A probe from a pod on a node to a pod on a node, both by number. */
export interface ScaleCell {
  readonly source: PodType;
  readonly target: ScaleTarget;
  readonly protocol: (typeof PROTOCOLS)[number];
  readonly from: number;
  readonly to: number;
}

/** Returns the type of the server pod. */
export function findPodType(target: ScaleTarget): PodType {
  return POD_TYPES.find((type) => target.replace("service:", "").replace(":net1", "") === type) ?? "overlay";
}

/**
 * Creates a cell for every ordered pair of nodes, also for a node with itself, so that the 63 combinations of source type,
 * target and protocol repeat over the pairs. Pure.
 */
export function sampleCells(nodes: number): readonly ScaleCell[] {
  return Array.from({ length: nodes * nodes }, (_, index): ScaleCell => {
    const from = Math.floor(index / nodes);
    const to = index % nodes;
    // Pairs of different nodes use consecutive combinations, a node with itself every eleventh one.
    const kind = from === to ? from * 11 : from * (nodes - 1) + (to > from ? to - 1 : to);
    const target = SCALE_TARGETS[Math.floor(kind / POD_TYPES.length) % SCALE_TARGETS.length] ?? "overlay";
    const protocol =
      PROTOCOLS[Math.floor(kind / (POD_TYPES.length * SCALE_TARGETS.length)) % PROTOCOLS.length] ?? "tcp";
    return {
      source: POD_TYPES[kind % POD_TYPES.length] ?? "overlay",
      target,
      // a Service does not answer ICMP
      protocol: target.startsWith("service:") && protocol === "icmp" ? "tcp" : protocol,
      from,
      to,
    };
  });
}
