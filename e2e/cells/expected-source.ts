import { findRackOfWorker } from "../../clusters/environments/rack-subnets.ts";
import { type Cell, EXTERNAL, isOnUnderlay, type EndpointRef, type NodeRef, type ServerRef } from "./cell.ts";
import { isPodTraffic, type NetworkSettings } from "./network-settings.ts";

/**
 * A node's address, by the network into which it sends: `node` to its own network and to own pods that need no other address,
 * `tunnel` to the overlay of other nodes, `overlay` to its own overlay pods.
 */
interface NodeAddressRef {
  readonly node: NodeRef;
  readonly network: "node" | "tunnel" | "overlay";
}

export type SourceRef = EndpointRef | NodeAddressRef;

/**
 * Returns the allowed source addresses of a cell: its server must see one of them. They follow from the documented datapath
 * (docs/architecture.md). Pure.
 * @returns undefined where no server reports the source (ICMP, the API server, attacks)
 */
export function expectedSource(cell: Cell, settings: NetworkSettings): readonly SourceRef[] | undefined {
  const sources = listSources(cell, settings);
  if (!settings.crossSubnet || sources === undefined) return sources;
  return removeDuplicates(
    sources.flatMap((source): readonly SourceRef[] =>
      "network" in source && source.network === "tunnel" ? [source, { ...source, network: "node" }] : [source],
    ),
  );
}

function listSources(cell: Cell, settings: NetworkSettings): readonly SourceRef[] | undefined {
  if (cell.protocol === "icmp" || cell.attack !== undefined || cell.reaches === undefined) return undefined;
  const { reaches } = cell;
  switch (cell.to.kind) {
    case "pod":
    case "external":
      return findDirectSource(cell, reaches, settings);
    case "service":
      return findServiceSources(cell, reaches, settings);
    case "node-port":
      return findNodePortSources(cell, reaches, cell.to.node, settings);
    case "vip":
      // A pod's own node translates virtual addresses, whatever node holds them.
      return findNodePortSources(cell, reaches, cell.sourceNode ?? cell.to.node, settings);
    case "host-port":
      return findHostPortSources(cell, reaches, cell.to.node, settings);
    case "api-server":
    case "external-target":
      return undefined;
  }
}

const toOwnSource = (cell: Cell, nic: EndpointRef["nic"] = "main"): SourceRef => ({ endpoint: cell.from, nic });

/** Returns the address of a node's own and masqueraded packets to a server. */
function toNodeSource(node: NodeRef, { type, node: serverNode, nic }: ServerRef): SourceRef {
  if (type === "node" || type === "external" || isOnUnderlay(type, nic)) return { node, network: "node" };
  return { node, network: node === serverNode ? "overlay" : "tunnel" };
}

/** Returns both addresses if it is not known which is used. */
function chooseSources(condition: boolean | undefined, yes: SourceRef, no: SourceRef): readonly SourceRef[] {
  return condition === undefined ? [yes, no] : [condition ? yes : no];
}

/** Returns the sources of connections without a Service, which only the overlay and `snat` translate. */
function findDirectSource(cell: Cell, reaches: ServerRef, settings: NetworkSettings): readonly SourceRef[] {
  const { source, sourceNode = 0 } = cell;
  const sameNode = sourceNode === reaches.node;
  if (source === "external") return [toOwnSource(cell)];
  if (source === "node") return [toNodeSource(sourceNode, reaches)];
  if (reaches.type === "node" && sameNode) return [toOwnSource(cell)];
  const toOverlay = reaches.type !== "node" && reaches.type !== "external" && !isOnUnderlay(reaches.type, reaches.nic);
  if (source === "multi-nic" && !leavesRack(cell, reaches.node, settings))
    return [toOwnSource(cell, toOverlay ? "main" : "net1")];
  // by eth0: net1 has no connected route to another rack
  if (source === "overlay" || source === "multi-nic")
    return toOverlay
      ? [toOwnSource(cell)]
      : chooseSources(settings.natOutgoing, toNodeSource(sourceNode, reaches), toOwnSource(cell));
  const isMasqueraded = toOverlay && !sameNode && masqueradesUnderlay(settings);
  return chooseSources(isMasqueraded, toNodeSource(sourceNode, reaches), toOwnSource(cell));
}

/** Whether packets of an underlay pod to the overlay of another node leave with its node's tunnel address. */
const masqueradesUnderlay = ({ returnPath, masqueradesToOverlay }: NetworkSettings): boolean | undefined =>
  returnPath === "snat" || masqueradesToOverlay;

/** Whether a cell's target is in another rack than the client. The control plane and the external host are in the first rack. */
function leavesRack({ sourceNode = 0 }: Cell, target: NodeRef | undefined, { racks }: NetworkSettings): boolean {
  const rack = typeof target === "number" ? findRackOfWorker(target) : 0;
  return racks && findRackOfWorker(sourceNode) !== rack;
}

/** Returns the sources of connections to a ClusterIP, which the client's node translates. */
function findServiceSources(cell: Cell, reaches: ServerRef, settings: NetworkSettings): readonly SourceRef[] {
  const { sourceNode = 0 } = cell;
  const masqueraded = toNodeSource(sourceNode, reaches);
  if (cell.server === cell.from || settings.masqueradeAll) return [masqueraded];
  const network = cell.source === "underlay" ? "underlay" : "overlay";
  const isFromPod = isPodTraffic(settings.podTraffic, network, true);
  if (isFromPod === false && settings.podTraffic !== "none") return [masqueraded];
  if (isFromPod === undefined)
    return removeDuplicates([
      masqueraded,
      ...listTranslatedSources(cell, toOwnSource(cell), reaches, sourceNode, settings),
    ]);
  return listTranslatedSources(cell, toOwnSource(cell), reaches, sourceNode, settings);
}

/** Returns the sources of connections to a NodePort or a virtual address, which the node with the address translates. */
function findNodePortSources(
  cell: Cell,
  reaches: ServerRef,
  targetNode: NodeRef,
  settings: NetworkSettings,
): readonly SourceRef[] {
  if (!keepsClient(cell)) return [toNodeSource(targetNode, reaches)];
  return removeDuplicates(
    listArrivingSources(cell, targetNode, settings).flatMap((source) =>
      listTranslatedSources(cell, source, reaches, targetNode, settings),
    ),
  );
}

/**
 * Returns the sources of connections to a host port. The reference plugin portmap on the node with the address translates them, and
 * masquerades packets from the subnet of the pod's address (option `snat`): the underlay or the pod's rack; an overlay pod's address
 * is a subnet of its own.
 */
function findHostPortSources(
  cell: Cell,
  reaches: ServerRef,
  targetNode: number,
  settings: NetworkSettings,
): readonly SourceRef[] {
  const masqueraded = toNodeSource(targetNode, reaches);
  return removeDuplicates(
    listArrivingSources(cell, targetNode, settings).flatMap((source): readonly SourceRef[] => {
      const isOverlay = "endpoint" in source && cell.source !== "underlay" && source.nic === "main";
      const isSameSubnet = isOnUnderlay(reaches.type, reaches.nic)
        ? !isOverlay && !leavesRack(cell, targetNode, settings)
        : settings.hasNodeSubnets && isOverlay && cell.sourceNode === targetNode;
      return isSameSubnet ? [masqueraded] : listTranslatedSources(cell, source, reaches, targetNode, settings);
    }),
  );
}

/** Whether the Service has externalTrafficPolicy Local, which keeps the client's address. */
const keepsClient = ({ group }: Cell): boolean => group === "node-port-local" || group === "pod-to-node-port-local";

/** Returns the source address with which a cell's packets enter the node with the destination address. */
function listArrivingSources(cell: Cell, targetNode: NodeRef, settings: NetworkSettings): readonly SourceRef[] {
  if (cell.source === "external" || targetNode === cell.sourceNode || cell.source === "underlay")
    return [toOwnSource(cell)];
  if (cell.source === "multi-nic" && !leavesRack(cell, targetNode, settings)) return [toOwnSource(cell, "net1")];
  return chooseSources(settings.natOutgoing, { node: cell.sourceNode ?? 0, network: "node" }, toOwnSource(cell));
}

/**
 * Returns the source address after a node has translated the destination and kept the source: the overlay masquerades packets that
 * leave it, and Interlay packets that enter by one of its links and leave to another node.
 */
function listTranslatedSources(
  cell: Cell,
  source: SourceRef,
  reaches: ServerRef,
  node: NodeRef,
  settings: NetworkSettings,
): readonly SourceRef[] {
  const masqueraded = toNodeSource(node, reaches);
  if (!("endpoint" in source) || source.endpoint === EXTERNAL) return [source];
  const isUnderlaySource = cell.source === "underlay" || source.nic === "net1";
  if (isUnderlaySource) {
    if (cell.source !== "underlay" || node !== cell.sourceNode) return [source];
    return reaches.node === node ? [source, masqueraded] : [masqueraded];
  }
  return isOnUnderlay(reaches.type, reaches.nic) ? chooseSources(settings.natOutgoing, masqueraded, source) : [source];
}

function removeDuplicates(sources: readonly SourceRef[]): readonly SourceRef[] {
  const texts = sources.map((source) => JSON.stringify(source));
  return sources.filter((_, index) => texts.indexOf(texts[index] ?? "") === index);
}
