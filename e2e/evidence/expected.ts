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
  /** The link sees the reply as incoming too. */
  readonly bothWays?: true;
}

interface Pod {
  readonly name: string;
  readonly type: PodType;
  readonly node: string;
}

const createHop = (place: string, link: string, direction: Hop["direction"]): Hop => ({ place, link, direction });
const formatNodeName = (index: NodeRef): string => (typeof index === "number" ? `node-${index + 1}` : index);

/** Returns the links of the pair between pod and node: Interlay's, or Calico's. */
const findPairLinks = (type: PodType) =>
  type === "underlay" ? { pod: "veth0", node: "veth" } : { pod: "eth0", node: "cali" };
/** Returns the name of the pod's macvlan link. */
const findMacvlanLink = (type: PodType): string => (type === "underlay" ? "eth0" : "net1");

const POD_NAME = /^(overlay|underlay|multi-nic)-(\d+)-[ab]$/;
function parsePodName(name: string): Pod | undefined {
  const [, type, number] = POD_NAME.exec(name) ?? [];
  const knownType = POD_TYPES.find((podType) => podType === type);
  return knownType === undefined ? undefined : { name, type: knownType, node: formatNodeName(Number(number) - 1) };
}

/**
 * Returns the documented path of a cell; undefined if its packets have no mark (API server), its server does not belong to the
 * suite, or it is an attack.
 */
export function buildExpectedPath(cell: Cell, returnPath?: Variant["returnPath"]): ExpectedPath | undefined {
  if (cell.attack !== undefined) return undefined;
  const source = parsePodName(cell.from);
  const target = parsePodName(findTargetPod(cell) ?? "");
  const request = listRequestSteps(cell, source, target);
  if (request === undefined) return undefined;
  const isAsymmetric =
    returnPath !== "snat" &&
    source?.type === "underlay" &&
    target !== undefined &&
    cell.to.kind === "pod" &&
    cell.toOverlayAddress &&
    source.node !== target.node;
  const hops = request.map(({ place, link, direction }) => createHop(place, link, direction));
  if (!isAsymmetric) return { request: hops, reply: reverseSteps(request) };
  return {
    request: hops,
    // The target's node is on the underlay itself, so that it sends the reply there.
    reply: [
      createHop(target.name, "eth0", "out"),
      createHop(target.node, "cali", "in"),
      ...listWireHops(target.node, source.node),
      createHop(source.name, "eth0", "in"),
    ],
  };
}

/** Returns the pod that must answer, also of a ping. */
function findTargetPod({ to, server, sourceNode }: Cell): string | undefined {
  if (to.kind === "pod") return to.pod;
  return server ?? (sourceNode === undefined ? undefined : podName("overlay", sourceNode, "b"));
}

function listRequestSteps(cell: Cell, source: Pod | undefined, target: Pod | undefined): readonly Step[] | undefined {
  const { to } = cell;
  if (to.kind === "api-server") return undefined;
  if (to.kind === "external")
    return (
      source && [createHop(source.name, findMacvlanLink(source.type), "out"), createHop(source.node, "wire", "out")]
    );
  if (cell.group === "pod-to-node" && to.kind === "pod") return source && listHopsToNode(source, to.pod);
  if (target === undefined) return undefined;
  const nic = to.kind === "pod" ? to.nic : "main";
  const onUnderlay = nic === "net1" || target.type === "underlay";
  if (cell.source === "external")
    return to.kind === "node-port"
      ? [
          createHop(formatNodeName(to.node), "wire", "in"),
          ...listForwardedHops(formatNodeName(to.node), target, onUnderlay),
        ]
      : [createHop(target.node, "wire", "in"), createHop(target.name, findMacvlanLink(target.type), "in")];
  if (source !== undefined && (to.kind === "node-port" || to.kind === "host-port"))
    return [
      ...listHopsToNode(source, formatNodeName(to.node)),
      ...listForwardedHops(formatNodeName(to.node), target, onUnderlay),
    ];
  if (source === undefined) return listForwardedHops(formatNodeName(cell.sourceNode ?? 0), target, onUnderlay);
  if (to.kind === "pod" && onUnderlay && source.type !== "overlay")
    return [
      createHop(source.name, findMacvlanLink(source.type), "out"),
      ...(source.node === target.node ? [createBridgeHop(source.node)] : listWireHops(source.node, target.node)),
      createHop(target.name, findMacvlanLink(target.type), "in"),
    ];
  const pairLinks = findPairLinks(source.type);
  return [
    createHop(source.name, pairLinks.pod, "out"),
    createHop(source.node, pairLinks.node, "in"),
    ...listForwardedHops(source.node, target, onUnderlay),
  ];
}

/** Returns the hops to a node's address. A pod in the node's network has the same address, so that its place is the node. */
function listHopsToNode(source: Pod, node: string): readonly Step[] {
  const pairLinks = findPairLinks(source.type);
  const hopsToOwnNode = [createHop(source.name, pairLinks.pod, "out"), createHop(source.node, pairLinks.node, "in")];
  if (node === source.node) return hopsToOwnNode;
  const wire = listWireHops(source.node, node);
  return source.type === "overlay"
    ? [...hopsToOwnNode, ...wire]
    : [createHop(source.name, findMacvlanLink(source.type), "out"), ...wire];
}

/** Returns the hops of a packet for a pod's address on a node. */
function listForwardedHops(node: string, target: Pod, onUnderlay: boolean): readonly Hop[] {
  const pairLinks = findPairLinks(target.type);
  const toPod = [createHop(target.node, pairLinks.node, "out"), createHop(target.name, pairLinks.pod, "in")];
  if (node === target.node) return toPod;
  if (onUnderlay)
    return [...listWireHops(node, target.node), createHop(target.name, findMacvlanLink(target.type), "in")];
  return [
    createHop(node, "vxlan", "out"),
    createHop(node, "wire (vxlan)", "out"),
    createHop(target.node, "wire (vxlan)", "in"),
    createHop(target.node, "vxlan", "in"),
    ...toPod,
  ];
}

/**
 * Returns the hop between two macvlan children of one uplink in bridge mode: the frame never leaves the node, but captures on the
 * uplink see it as incoming, in both directions (macvlan_queue_xmit: "send to lowerdev first for its network taps").
 */
const createBridgeHop = (node: string): Step => ({ place: node, link: "wire", direction: "in", bothWays: true });
const listWireHops = (from: string, to: string): readonly Hop[] => [
  createHop(from, "wire", "out"),
  createHop(to, "wire", "in"),
];

const reverseSteps = (path: readonly Step[]): readonly Hop[] =>
  [...path]
    .reverse()
    .map(({ place, link, direction, bothWays }) =>
      createHop(place, link, bothWays || direction === "out" ? "in" : "out"),
    );
