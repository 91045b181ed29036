import type { PodType } from "../../results/schema.ts";
import { type Cell, type NodeRef } from "../cells/cell.ts";
import type { Variant } from "../cells/gate.ts";
import { podName } from "../pods/suite-pods.ts";
import { POD_TYPES } from "../../results/schema.ts";
import type { Hop } from "./path.ts";

/** The documented path of a cell's request and of its reply (docs/architecture.md, "Datapath contract"). */
export interface ExpectedPath {
  readonly request: readonly Hop[];
  readonly reply: readonly Hop[];
}

interface Step extends Hop {
  /** The reply is seen coming in there too. */
  readonly bothWays?: true;
}

interface Pod {
  readonly name: string;
  readonly type: PodType;
  readonly node: string;
}

const hop = (place: string, link: string, direction: Hop["direction"]): Hop => ({ place, link, direction });
const nodeName = (index: NodeRef): string => (typeof index === "number" ? `node-${index + 1}` : index);

/** The pair between pod and node: ours, or Calico's. */
const pair = (type: PodType) => (type === "underlay" ? { pod: "veth0", node: "veth" } : { pod: "eth0", node: "cali" });
/** The pod's macvlan link. */
const macvlan = (type: PodType): string => (type === "underlay" ? "eth0" : "net1");

const parsed = /^(overlay|underlay|multi-nic)-(\d+)-[ab]$/;
function parsePodName(name: string): Pod | undefined {
  const [, type, number] = parsed.exec(name) ?? [];
  const known = POD_TYPES.find((one) => one === type);
  return known === undefined ? undefined : { name, type: known, node: nodeName(Number(number) - 1) };
}

/**
 * Returns the documented path; undefined for cells without a mark (API server), without a pod of the suite as server, or that
 * must not arrive (attacks).
 */
export function expectedPath(cell: Cell, returnPath?: Variant["returnPath"]): ExpectedPath | undefined {
  if (cell.attack !== undefined) return undefined;
  const source = parsePodName(cell.from);
  const target = parsePodName(targetPod(cell) ?? "");
  const request = listRequestSteps(cell, source, target);
  if (request === undefined) return undefined;
  const asymmetric =
    returnPath !== "snat" &&
    source?.type === "underlay" &&
    target !== undefined &&
    cell.to.kind === "pod" &&
    cell.toOverlayAddress &&
    source.node !== target.node;
  const hops = request.map(({ place, link, direction }) => hop(place, link, direction));
  if (!asymmetric) return { request: hops, reply: reversed(request) };
  return {
    request: hops,
    // The asymmetric case: the target's node has the underlay pod on its own network.
    reply: [
      hop(target.name, "eth0", "out"),
      hop(target.node, "cali", "in"),
      ...overTheWire(target.node, source.node),
      hop(source.name, "eth0", "in"),
    ],
  };
}

/** Returns the pod that must answer; known for pings too. */
function targetPod({ to, server, sourceNode }: Cell): string | undefined {
  if (to.kind === "pod") return to.pod;
  return server ?? (sourceNode === undefined ? undefined : podName("overlay", sourceNode, "b"));
}

function listRequestSteps(cell: Cell, source: Pod | undefined, target: Pod | undefined): readonly Step[] | undefined {
  const { to } = cell;
  if (to.kind === "api-server") return undefined;
  if (to.kind === "external")
    return source && [hop(source.name, macvlan(source.type), "out"), hop(source.node, "wire", "out")];
  if (cell.group === "pod-to-node" && to.kind === "pod") return source && toNode(source, to.pod);
  if (target === undefined) return undefined;
  const nic = to.kind === "pod" ? to.nic : "main";
  const onUnderlay = nic === "net1" || target.type === "underlay";
  if (cell.source === "external")
    return to.kind === "node-port"
      ? [hop(nodeName(to.node), "wire", "in"), ...forwarded(nodeName(to.node), target, onUnderlay)]
      : [hop(target.node, "wire", "in"), hop(target.name, macvlan(target.type), "in")];
  if (source !== undefined && (to.kind === "node-port" || to.kind === "host-port"))
    return [...toNode(source, nodeName(to.node)), ...forwarded(nodeName(to.node), target, onUnderlay)];
  if (source === undefined) return forwarded(nodeName(cell.sourceNode ?? 0), target, onUnderlay);
  if (to.kind === "pod" && onUnderlay && source.type !== "overlay")
    return [
      hop(source.name, macvlan(source.type), "out"),
      ...(source.node === target.node ? [handedOver(source.node)] : overTheWire(source.node, target.node)),
      hop(target.name, macvlan(target.type), "in"),
    ];
  const own = pair(source.type);
  return [
    hop(source.name, own.pod, "out"),
    hop(source.node, own.node, "in"),
    ...forwarded(source.node, target, onUnderlay),
  ];
}

/** The place of a pod in the node's network is the node: both have the same address. */
function toNode(source: Pod, node: string): readonly Step[] {
  const own = pair(source.type);
  const toOwn = [hop(source.name, own.pod, "out"), hop(source.node, own.node, "in")];
  if (node === source.node) return toOwn;
  const wire = overTheWire(source.node, node);
  return source.type === "overlay" ? [...toOwn, ...wire] : [hop(source.name, macvlan(source.type), "out"), ...wire];
}

/** Returns the hops of a packet for a pod's address on a node. */
function forwarded(node: string, target: Pod, onUnderlay: boolean): readonly Hop[] {
  const own = pair(target.type);
  const toPod = [hop(target.node, own.node, "out"), hop(target.name, own.pod, "in")];
  if (node === target.node) return toPod;
  if (onUnderlay) return [...overTheWire(node, target.node), hop(target.name, macvlan(target.type), "in")];
  return [
    hop(node, "vxlan", "out"),
    hop(node, "wire (vxlan)", "out"),
    hop(target.node, "wire (vxlan)", "in"),
    hop(target.node, "vxlan", "in"),
    ...toPod,
  ];
}

/**
 * Macvlan's bridge mode between two children of one uplink: the frame never leaves the node, but the kernel gives it to the
 * uplink's taps as one that came in, both ways (macvlan_queue_xmit: "send to lowerdev first for its network taps").
 */
const handedOver = (node: string): Step => ({ place: node, link: "wire", direction: "in", bothWays: true });
const overTheWire = (from: string, to: string): readonly Hop[] => [hop(from, "wire", "out"), hop(to, "wire", "in")];

const reversed = (path: readonly Step[]): readonly Hop[] =>
  [...path]
    .reverse()
    .map(({ place, link, direction, bothWays }) => hop(place, link, bothWays || direction === "out" ? "in" : "out"));
