import type { PacketProtocol } from "../packet.ts";
import type { AddressSnapshot, TraceSnapshot } from "../snapshot.ts";
import type { TraceRequest } from "../trace.ts";
import {
  classifyNamespace,
  type EndpointKind,
  findPort,
  hasFamily,
  listLinkAddresses,
  type PathEndpoint,
} from "./endpoint.ts";

/** A port of a Service at its ClusterIP. */
export interface ServicePort {
  /** `namespace/name` */
  readonly name: string;
  readonly address: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/** Target of a path: a pod's address, or a Service. */
type PathTarget =
  | {
      readonly kind: "overlay" | "underlay" | "multi-nic" | "multi-nic:net1";
      readonly endpoint: PathEndpoint;
      readonly placement: "same-node" | "other-node";
    }
  | { readonly kind: "service"; readonly service: ServicePort };

/** A connection to trace. */
export interface Path {
  readonly source: PathEndpoint;
  readonly target: PathTarget;
  readonly request: TraceRequest;
}

/** Services and pods for which paths are listed. */
export interface PathSelection {
  readonly services: readonly ServicePort[];
  /** Reports whether a pod may be chosen, by its name; every pod if absent. */
  readonly isPodChosen?: (name: string) => boolean;
}

const POD_KINDS = ["overlay", "underlay", "multi-nic"] as const;
const FAMILIES = ["ipv4", "ipv6"] as const;

/**
 * Lists the paths from each node and from one pod of each type there: to a pod of each type on the same node and on the next
 * node, and to Services. The number grows with the nodes, not with their square.
 */
export function listPaths(snapshot: TraceSnapshot, { services, isPodChosen }: PathSelection): readonly Path[] {
  const endpoints = listEndpoints(snapshot).filter(
    ({ kind, namespace }) => kind === "node" || (isPodChosen?.(namespace.name) ?? true),
  );
  const nodes = [...new Set(endpoints.map(({ node }) => node))].sort();
  const listEndpointsOn = (node: string, kind: EndpointKind): readonly PathEndpoint[] =>
    endpoints
      .filter((endpoint) => endpoint.node === node && endpoint.kind === kind)
      .sort((a, b) => (a.namespace.name < b.namespace.name ? -1 : 1));
  return nodes.flatMap((node, index) => {
    const nextNode = nodes[(index + 1) % nodes.length] ?? node;
    const targetNodes = nextNode === node ? [node] : [node, nextNode];
    const targets = targetNodes.flatMap((targetNode) =>
      POD_KINDS.flatMap((kind) => {
        const endpoint = listEndpointsOn(targetNode, kind).at(-1);
        return endpoint === undefined ? [] : [{ endpoint, placement: toPlacement(targetNode === node) }];
      }),
    );
    const sources = [...POD_KINDS, "node" as const].flatMap((kind) => listEndpointsOn(node, kind)[0] ?? []);
    return sources.flatMap((source) => [
      ...targets
        .filter(({ endpoint }) => endpoint.namespace.id !== source.namespace.id)
        .flatMap(({ endpoint, placement }) => listPathsToPod(source, endpoint, placement)),
      ...services.flatMap((service) => listPathsToService(source, service)),
    ]);
  });
}

function toPlacement(isSame: boolean): "same-node" | "other-node" {
  return isSame ? "same-node" : "other-node";
}

function listEndpoints({ namespaces }: TraceSnapshot): readonly PathEndpoint[] {
  const names = new Map(namespaces.map(({ id, name }) => [id, name]));
  return namespaces.flatMap((namespace) => {
    const kind = classifyNamespace(namespace);
    if (kind === undefined) return [];
    const node = names.get(namespace.node ?? namespace.id) ?? namespace.name;
    return [{ kind, namespace, node }];
  });
}

function listPathsToPod(
  source: PathEndpoint,
  endpoint: PathEndpoint,
  placement: "same-node" | "other-node",
): readonly Path[] {
  const { kind, namespace } = endpoint;
  if (kind === "node") return [];
  return namespace.links.flatMap((link) => {
    // An underlay pod's veth link only carries traffic to the node and has no address of a target.
    if (link.kind !== "macvlan" && (link.kind !== "veth" || kind === "underlay")) return [];
    const targetKind = kind === "multi-nic" && link.kind === "macvlan" ? ("multi-nic:net1" as const) : kind;
    return selectAddresses(source, listLinkAddresses(namespace, link.name)).flatMap((address) =>
      (["tcp", "udp", "icmp"] as const).flatMap((protocol) => {
        const port = protocol === "icmp" ? 0 : findPort(namespace, protocol, address);
        if (port === undefined) return [];
        const request = makeRequest(source, address.address, protocol, port);
        return [{ source, target: { kind: targetKind, endpoint, placement }, request }];
      }),
    );
  });
}

/** Returns the first address of each family that the source also has. */
function selectAddresses(
  { namespace }: PathEndpoint,
  addresses: readonly AddressSnapshot[],
): readonly AddressSnapshot[] {
  return FAMILIES.filter((family) => hasFamily(namespace, family)).flatMap(
    (family) => addresses.find((candidate) => candidate.family === family) ?? [],
  );
}

function listPathsToService(source: PathEndpoint, service: ServicePort): readonly Path[] {
  const family = service.address.includes(":") ? "ipv6" : "ipv4";
  if (!hasFamily(source.namespace, family)) return [];
  const request = makeRequest(source, service.address, service.protocol, service.port);
  return [{ source, target: { kind: "service", service }, request: { ...request, service: service.name } }];
}

function makeRequest(
  { namespace }: PathEndpoint,
  destination: string,
  protocol: PacketProtocol,
  port: number,
): TraceRequest {
  return { source: namespace.id, destination, protocol, port };
}
