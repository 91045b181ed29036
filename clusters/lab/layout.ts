import { join } from "node:path";
import ipaddr from "ipaddr.js";
import { cacheRoot } from "../components/cache.ts";
import type { ClusterNode, ClusterSpec } from "../provider.ts";
import { gatewayOf, toIpv6Address } from "../spec.ts";

/** Files of one lab: its keys, kubeconfig, logs, and what its daemon tells. */
export function labDirectory(lab: string): string {
  return join(cacheRoot(), "labs", lab);
}

export interface LabFiles {
  readonly directory: string;
  readonly plan: string;
  readonly kubeconfig: string;
  /** Process id, on this computer, of the program that holds the lab. */
  readonly pid: string;
  /** What runs where (state.ts), in process ids of the lab. */
  readonly state: string;
  readonly log: string;
  readonly apiSocket: string;
  /** Where the daemon is asked to let nodes fail. */
  readonly controlSocket: string;
}

export function labFiles(directory: string): LabFiles {
  const file = (name: string) => join(directory, name);
  return {
    directory,
    plan: file("plan.json"),
    kubeconfig: file("kubeconfig"),
    pid: file("pid"),
    state: file("state.json"),
    log: file("daemon.log"),
    apiSocket: file("api.sock"),
    controlSocket: file("control.sock"),
  };
}

/** Everything that stands on the lab's bridge. */
export interface LabMachines {
  /** Control plane first; names as kind gives them. */
  readonly nodes: readonly ClusterNode[];
  readonly external: { readonly name: string; readonly address: string; readonly address6?: string };
  /** The bridge's own address: everybody's gateway. */
  readonly gateway: string;
  readonly gateway6?: string;
  readonly prefixLength: number;
  /** MTU of the bridge and of everything on it; undefined: 1500. */
  readonly mtu?: number;
}

/** The control plane is the seventh address of the node range (10.7.168.70), workers follow; the outside host is its last. */
export function machinesOf(
  spec: Pick<ClusterSpec, "name" | "workers" | "nodeRange" | "underlayCidr" | "ipv6" | "environment">,
): LabMachines {
  const mtu = spec.environment?.spec.nodes?.mtu;
  const [first, length] = ipaddr.IPv4.parseCIDR(spec.nodeRange);
  const size = 2 ** (32 - length);
  const most = size - 8;
  if (spec.workers > most)
    throw new Error(`${spec.workers} workers do not fit into ${spec.nodeRange}: name at most ${most}.`);
  const at = (index: number) => {
    const address = plus(first, index);
    if (spec.underlayCidr.includes(":")) return { address: toIpv6Address(spec.underlayCidr, address) };
    return {
      address,
      ...(spec.ipv6 === undefined ? {} : { address6: toIpv6Address(spec.ipv6.underlayCidr, address) }),
    };
  };
  const worker = (index: number): ClusterNode => ({
    name: `${spec.name}-worker${index === 0 ? "" : index + 1}`,
    role: "worker",
    ...at(7 + index),
  });
  return {
    nodes: [
      { name: `${spec.name}-control-plane`, role: "control-plane", ...at(6) },
      ...Array.from({ length: spec.workers }, (_, index) => worker(index)),
    ],
    external: { name: `${spec.name}-external`, ...at(size - 1) },
    gateway: gatewayOf(spec.underlayCidr),
    ...(spec.ipv6 === undefined ? {} : { gateway6: gatewayOf(spec.ipv6.underlayCidr) }),
    prefixLength: ipaddr.parseCIDR(spec.underlayCidr)[1],
    ...(mtu === undefined ? {} : { mtu }),
  };
}

/** An address of the CIDR's network: `nthOf("10.233.0.0/18", 1)` is the Service kubernetes. */
export function nthOf(cidr: string, index: number): string {
  const [network] = ipaddr.parseCIDR(cidr);
  return network instanceof ipaddr.IPv4 ? plus(network, index) : `${network.toString()}${index.toString(16)}`;
}

/** Returns the address of the Service kube-dns: the tenth of the Services' network, as kubeadm has it. */
export function findDnsAddress({ serviceCidr }: Pick<ClusterSpec, "serviceCidr">): string {
  return nthOf(serviceCidr, 10);
}

/** Returns the DNS server in pods' resolv.conf (kubelet's `clusterDNS`). */
export function findNameserver(plan: Pick<ClusterSpec, "serviceCidr">): string {
  return findDnsAddress(plan);
}

function plus(address: ipaddr.IPv4, index: number): string {
  const value = address.octets.reduce((sum, octet) => sum * 256 + octet, 0) + index;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
