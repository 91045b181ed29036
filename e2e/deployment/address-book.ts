import type { Cluster, ClusterNode } from "../../clusters/provider/provider.ts";
import type { IpFamily } from "../../clusters/spec/address-ranges.ts";
import { type Cell, EXTERNAL, type Nic, type NodeRef } from "../cells/cell.ts";
import type { SourceRef } from "../cells/expected-source.ts";
import { type Addresses, groupByFamily } from "../pods/pod-addresses.ts";
import type { OverlayAddresses } from "../pods/overlay-addresses.ts";
import { findHostPort, buildHostPodName } from "../pods/suite-pods.ts";
import type { DeployedPod } from "./deployed-pods.ts";
import type { DeployedService } from "./services.ts";

/** Everything of a deployment that has an address. */
interface AddressSources {
  readonly nodes: readonly ClusterNode[];
  /** Names of the workers; cells refer to them by index. */
  readonly workers: readonly string[];
  readonly pods: ReadonlyMap<string, DeployedPod>;
  readonly services: ReadonlyMap<string, DeployedService>;
  /** Addresses of the external host. */
  readonly external: Addresses;
  /** The target that the user names. */
  readonly externalTarget: Cluster["externalTarget"];
  /** Address of the Service `kubernetes`. */
  readonly apiServer: string | undefined;
  /** Overlay addresses by node. */
  readonly overlay: ReadonlyMap<string, OverlayAddresses>;
  /** Port of the pods in the nodes' network. */
  readonly hostPort: number;
  /** Family of an address if the caller names none. */
  readonly defaultFamily: IpFamily;
}

/** Target of a cell's probe. */
interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  /** Undefined: the server is a probe, or a connection is enough. */
  readonly url?: string;
}

/** Finds the addresses that cells refer to. */
export class AddressBook {
  readonly #sources: AddressSources;

  constructor(sources: AddressSources) {
    this.#sources = sources;
  }

  /** Returns an endpoint's own address: the source that a server sees without translation. @throws if it has none */
  getAddress(endpoint: string, nic: Nic, family: IpFamily = this.#sources.defaultFamily): string {
    const { external, pods } = this.#sources;
    const address = (endpoint === EXTERNAL ? external : pods.get(endpoint)?.addresses[nic])?.[family];
    if (address === undefined)
      throw new Error(`Pod ${endpoint} has no ${family} address on ${nic}: is Multus running on its node?`);
    return address;
  }

  /** Returns the address and port that a cell probes. @throws if it does not exist */
  locate({ to, protocol, port, family }: Pick<Cell, "to" | "protocol" | "port" | "family">): ProbeTarget {
    const { apiServer, externalTarget, services, workers, hostPort } = this.#sources;
    switch (to.kind) {
      case "pod": {
        const isHostPod = workers.some((_, index) => buildHostPodName(index) === to.pod);
        return { address: this.getAddress(to.pod, to.nic, family), port: port !== 0 && isHostPod ? hostPort : port };
      }
      case "external":
        return { address: this.getAddress(EXTERNAL, "main", family), port };
      case "external-target": {
        const { host, port: targetPort = 0, url } = requireKnown(externalTarget, "the target of --external");
        return { address: host, port: targetPort, ...(url === undefined ? {} : { url }) };
      }
      case "api-server":
        return { address: requireKnown(apiServer, "the Service kubernetes"), port: 443 };
      case "service": {
        const address = services.get(to.service)?.clusterIPs[family];
        return { address: requireKnown(address, `the Service ${to.service} (${family})`), port };
      }
      case "node-port": {
        const nodePort = services.get(to.service)?.nodePorts[protocol === "udp" ? "udp" : "tcp"];
        return {
          address: this.#getNodeAddress(to.node, family),
          port: requireKnown(nodePort, `the NodePort of ${to.service}`),
        };
      }
      case "vip": {
        const address = services.get(to.service)?.vips[to.source][family];
        return { address: requireKnown(address, `a ${to.source} of ${to.service}`), port };
      }
      case "host-port": {
        const targetPort = requireKnown(findHostPort(to.pod), `the host port of ${to.pod}`);
        return { address: this.#getNodeAddress(to.node, family), port: targetPort };
      }
    }
  }

  /** Returns the possible addresses of a source; undefined if the cluster does not show them. */
  findSources(source: SourceRef, family: IpFamily): readonly string[] | undefined {
    if ("endpoint" in source) return [this.getAddress(source.endpoint, source.nic, family)];
    if (source.network === "node") return [this.#getNodeAddress(source.node, family)];
    const overlay = this.#sources.overlay.get(this.#findNode(source.node)?.name ?? "");
    if (overlay === undefined) return undefined;
    const { tunnel, bridge, first } = overlay;
    if (source.network === "tunnel") return [tunnel[family] ?? this.#getNodeAddress(source.node, family)];
    // On a link without addresses, IPv6 chooses the source with the longest common prefix: the tunnel's (RFC 6724).
    const linkAddress = bridge[family] ?? (family === "ipv6" ? tunnel.ipv6 : undefined);
    if (linkAddress !== undefined) return [linkAddress];
    const internal = this.#getNodeAddress(source.node, family);
    return [...new Set([internal, first[family] ?? internal])];
  }

  #findNode(node: NodeRef): ClusterNode | undefined {
    const { nodes, workers } = this.#sources;
    return nodes.find(({ name, role }) => (typeof node === "number" ? name === workers[node] : role === node));
  }

  #getNodeAddress(node: NodeRef, family: IpFamily): string {
    const { address, address6 } = this.#findNode(node) ?? {};
    return requireKnown(groupByFamily([address, address6])[family], `the ${family} address of node ${node}`);
  }
}

function requireKnown<T>(value: T | undefined, description: string): T {
  if (value === undefined)
    throw new Error(`${description} does not exist: delete the namespace of the suite and run again.`);
  return value;
}
