import { join } from "node:path";
import ipaddr from "ipaddr.js";
import { getCacheRoot } from "../../components/cache.ts";
import { findRackOfWorker, listRacks, moveToRack, type Rack } from "../../environments/rack-subnets.ts";
import type { ClusterNode, ClusterSpec } from "../../provider.ts";
import { getGateway, toIpv6Address } from "../../spec.ts";
import type { LabPlan } from "../plan.ts";

/** Files of one lab: its keys, kubeconfig, logs, and what its daemon tells. */
export function getLabDirectory(lab: string): string {
  return join(getCacheRoot(), "labs", lab);
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

export function getLabFiles(directory: string): LabFiles {
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

/** A node's machine. */
export interface LabNode extends ClusterNode {
  /** Index of its rack, where there are racks. */
  readonly rack?: number;
  /** Address of its first link, where a management network is there: then its second link has the InternalIP. */
  readonly management?: string;
}

/** Everything that stands on the lab's bridge. */
export interface LabMachines {
  /** Control plane first; names as kind gives them. */
  readonly nodes: readonly LabNode[];
  readonly external: { readonly name: string; readonly address: string; readonly address6?: string };
  /** The bridge's own address: everybody's gateway. */
  readonly gateway: string;
  readonly gateway6?: string;
  readonly prefixLength: number;
  /** MTU of the bridge and of everything on it; undefined: 1500. */
  readonly mtu?: number;
  /** Subnets of the underlay behind one router; undefined: the underlay is one. The outside host is in the first. */
  readonly racks?: readonly Rack[];
  /** The network of the nodes' first links; undefined: they have one link each. */
  readonly management?: { readonly gateway: string; readonly prefixLength: number };
}

const MANAGEMENT_CIDR = "192.168.50.0/24";

/** The control plane is the seventh address of the node range (10.7.168.70), workers follow; the outside host is its last. */
export function planMachines(
  spec: Pick<ClusterSpec, "name" | "workers" | "nodeRange" | "underlayCidr" | "ipv6" | "environment">,
): LabMachines {
  const { nodes: settings, topology } = spec.environment?.spec ?? {};
  const mtu = settings?.mtu;
  const [first, length] = ipaddr.IPv4.parseCIDR(spec.nodeRange);
  const size = 2 ** (32 - length);
  const most = size - 8;
  if (spec.workers > most)
    throw new Error(`${spec.workers} workers do not fit into ${spec.nodeRange}: name at most ${most}.`);
  const at = (index: number) => {
    const address = addToAddress(first, index);
    if (spec.underlayCidr.includes(":")) return { address: toIpv6Address(spec.underlayCidr, address) };
    return {
      address,
      ...(spec.ipv6 === undefined ? {} : { address6: toIpv6Address(spec.ipv6.underlayCidr, address) }),
    };
  };
  const worker = (index: number): LabNode => ({
    name: `${spec.name}-worker${index === 0 ? "" : index + 1}`,
    role: "worker",
    ...at(7 + index),
  });
  const nodes: readonly LabNode[] = [
    { name: `${spec.name}-control-plane`, role: "control-plane", ...at(6) },
    ...Array.from({ length: spec.workers }, (_, index) => worker(index)),
  ];
  return {
    nodes: nodes.map((node, index) => placeNode(node, index, topology)),
    ...(topology === "racks" ? { racks: listRacks(spec.nodeRange) } : {}),
    ...(topology === "second-nic"
      ? { management: { gateway: getNthAddress(MANAGEMENT_CIDR, 1), prefixLength: 24 } }
      : {}),
    external: { name: `${spec.name}-external`, ...at(size - 1) },
    gateway: getGateway(spec.underlayCidr),
    ...(spec.ipv6 === undefined ? {} : { gateway6: getGateway(spec.ipv6.underlayCidr) }),
    prefixLength: ipaddr.parseCIDR(spec.underlayCidr)[1],
    ...(mtu === undefined ? {} : { mtu }),
  };
}

/** Puts a node into its rack or onto the management network. @param index 0: the control plane */
function placeNode(node: LabNode, index: number, topology: "racks" | "second-nic" | undefined): LabNode {
  if (topology === "second-nic") return { ...node, management: getNthAddress(MANAGEMENT_CIDR, 70 + index) };
  if (topology === undefined) return node;
  const rack = index === 0 ? 0 : findRackOfWorker(index - 1);
  return { ...node, rack, address: moveToRack(node.address, rack) };
}

/** An address of the CIDR's network: `nthOf("10.233.0.0/18", 1)` is the Service kubernetes. */
export function getNthAddress(cidr: string, index: number): string {
  const [network] = ipaddr.parseCIDR(cidr);
  return network instanceof ipaddr.IPv4 ? addToAddress(network, index) : `${network.toString()}${index.toString(16)}`;
}

/** Returns the address of the Service kube-dns: the tenth of the Services' network, as kubeadm has it. */
export function findDnsAddress({ serviceCidr }: Pick<ClusterSpec, "serviceCidr">): string {
  return getNthAddress(serviceCidr, 10);
}

/** Returns the DNS server in pods' resolv.conf (kubelet's `clusterDNS`). */
export function findNameserver(plan: Pick<LabPlan, "serviceCidr" | "environment">): string {
  return plan.environment?.nodeLocalDns ?? findDnsAddress(plan);
}

function addToAddress(address: ipaddr.IPv4, index: number): string {
  const value = address.octets.reduce((sum, octet) => sum * 256 + octet, 0) + index;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
