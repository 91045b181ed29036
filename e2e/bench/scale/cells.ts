import { POD_TYPES, type PodType } from "../../../results/schema.ts";

/** What is asked of a pod: an address of its own, or its Service. */
export const TARGETS = [
  "overlay",
  "underlay",
  "multi-nic",
  "multi-nic:net1",
  "service:overlay",
  "service:underlay",
  "service:multi-nic",
] as const;
type ScaleTarget = (typeof TARGETS)[number];
const PROTOCOLS = ["tcp", "udp", "icmp"] as const;

/** A question from a node to a node, both by number. */
export interface ScaleCell {
  readonly source: PodType;
  readonly target: ScaleTarget;
  readonly protocol: (typeof PROTOCOLS)[number];
  readonly from: number;
  readonly to: number;
}

/** The type of the pod that answers. */
export function findPodType(target: ScaleTarget): PodType {
  return POD_TYPES.find((type) => target.replace("service:", "").replace(":net1", "") === type) ?? "overlay";
}

/**
 * One question for every ordered pair of nodes (a node with itself too), so that every source type, target and protocol
 * comes again and again: 63 kinds of question over nodes × nodes pairs. Pure.
 */
export function sampleCells(nodes: number): readonly ScaleCell[] {
  return Array.from({ length: nodes * nodes }, (_, index): ScaleCell => {
    const from = Math.floor(index / nodes);
    const to = index % nodes;
    // Each its own turn: pairs of different nodes in a row, and a node with itself by steps.
    const kind = from === to ? from * 11 : from * (nodes - 1) + (to > from ? to - 1 : to);
    const target = TARGETS[Math.floor(kind / POD_TYPES.length) % TARGETS.length] ?? "overlay";
    const protocol = PROTOCOLS[Math.floor(kind / (POD_TYPES.length * TARGETS.length)) % PROTOCOLS.length] ?? "tcp";
    return {
      source: POD_TYPES[kind % POD_TYPES.length] ?? "overlay",
      target,
      // a Service answers no ICMP
      protocol: target.startsWith("service:") && protocol === "icmp" ? "tcp" : protocol,
      from,
      to,
    };
  });
}
