import ipaddr from "ipaddr.js";
import { findRackOfWorker, listRacks, moveToRack, type Rack } from "../../environments/rack-subnets.ts";
import type { ClusterNode } from "../../provider/provider.ts";
import type { ClusterSpec } from "../../spec/cluster-spec.ts";
import { getGateway, toIpv6Address } from "../../spec/address-ranges.ts";
import type { LabPlan } from "../plan/lab-plan.ts";

/** The machine of a node. */
export interface LabNode extends ClusterNode {
  /** Index of the node's rack; undefined: the lab has one rack. */
  readonly rack?: number;
  /** Address of the first link in a management network; the second link then has the InternalIP. */
  readonly management?: string;
}

/** The machines of a lab and the networks that connect them. */
export interface LabMachines {
  /** Control plane first; named like kind's nodes. */
  readonly nodes: readonly LabNode[];
  readonly external: { readonly name: string; readonly address: string; readonly address6?: string };
  /** Address of the bridge, the gateway of all machines. */
  readonly gateway: string;
  readonly gateway6?: string;
  readonly prefixLength: number;
  /** MTU of the bridge and its links; undefined: 1500. */
  readonly mtu?: number;
  /** Subnets of the underlay behind one router, the external host in the first; undefined: the underlay is one subnet. */
  readonly racks?: readonly Rack[];
  /** Network of the nodes' first links; undefined: nodes have one link each. */
  readonly management?: { readonly gateway: string; readonly prefixLength: number };
}

const MANAGEMENT_CIDR = "192.168.50.0/24";

/**
 * Plans the machines of a lab. The control plane has the seventh address of the node range (10.7.168.70), the workers have
 * the next ones, and the external host has the last one.
 *
 * @throws if the range is too small for the workers
 */
export function planMachines(
  spec: Pick<ClusterSpec, "name" | "workers" | "nodeRange" | "underlayCidr" | "ipv6" | "environment">,
): LabMachines {
  const { nodes: settings, topology } = spec.environment?.spec ?? {};
  const mtu = settings?.mtu;
  const [first, length] = ipaddr.IPv4.parseCIDR(spec.nodeRange);
  const size = 2 ** (32 - length);
  const maxWorkers = size - 8;
  if (spec.workers > maxWorkers)
    throw new Error(
      `${spec.workers} workers do not fit into the node range ${spec.nodeRange}: use at most ${maxWorkers}.`,
    );
  const createAddresses = (index: number) => {
    const address = addToAddress(first, index);
    if (spec.underlayCidr.includes(":")) return { address: toIpv6Address(spec.underlayCidr, address) };
    return {
      address,
      ...(spec.ipv6 === undefined ? {} : { address6: toIpv6Address(spec.ipv6.underlayCidr, address) }),
    };
  };
  const createWorker = (index: number): LabNode => ({
    name: `${spec.name}-worker${index === 0 ? "" : index + 1}`,
    role: "worker",
    ...createAddresses(7 + index),
  });
  const nodes: readonly LabNode[] = [
    { name: `${spec.name}-control-plane`, role: "control-plane", ...createAddresses(6) },
    ...Array.from({ length: spec.workers }, (_, index) => createWorker(index)),
  ];
  return {
    nodes: nodes.map((node, index) => placeNode(node, index, topology)),
    ...(topology === "racks" ? { racks: listRacks(spec.nodeRange) } : {}),
    ...(topology === "second-nic"
      ? { management: { gateway: getNthAddress(MANAGEMENT_CIDR, 1), prefixLength: 24 } }
      : {}),
    external: { name: `${spec.name}-external`, ...createAddresses(size - 1) },
    gateway: getGateway(spec.underlayCidr),
    ...(spec.ipv6 === undefined ? {} : { gateway6: getGateway(spec.ipv6.underlayCidr) }),
    prefixLength: ipaddr.parseCIDR(spec.underlayCidr)[1],
    ...(mtu === undefined ? {} : { mtu }),
  };
}

/** Returns a node with its rack or its management address. @param index 0: the control plane */
function placeNode(node: LabNode, index: number, topology: "racks" | "second-nic" | undefined): LabNode {
  if (topology === "second-nic") return { ...node, management: getNthAddress(MANAGEMENT_CIDR, 70 + index) };
  if (topology === undefined) return node;
  const rack = index === 0 ? 0 : findRackOfWorker(index - 1);
  return { ...node, rack, address: moveToRack(node.address, rack) };
}

/** Returns the n-th address of a CIDR: `getNthAddress("10.233.0.0/18", 1)` is the Service kubernetes. */
export function getNthAddress(cidr: string, index: number): string {
  const [network] = ipaddr.parseCIDR(cidr);
  return network instanceof ipaddr.IPv4 ? addToAddress(network, index) : `${network.toString()}${index.toString(16)}`;
}

/** Returns the address of the Service kube-dns: the tenth of the service CIDR, as kubeadm chooses it. */
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
