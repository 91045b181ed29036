import type { ClusterInventory } from "./inventory.ts";
import type { InventoryNode } from "./read-nodes.ts";

/** Returns a Ready worker of a lab for unit tests. */
export function createNode(name: string, change: Partial<InventoryNode> = {}): InventoryNode {
  return {
    name,
    ready: true,
    schedulable: true,
    kubelet: "v1.29.15",
    kernel: "6.1.0",
    controlPlane: false,
    addresses: ["192.0.2.7", "2001:db8::7"],
    runtime: "interlay-lab://1",
    providerId: "",
    os: "linux",
    zone: "",
    selected: true,
    programArguments: [],
    ...change,
  };
}

/** Returns a cluster without problems for unit tests: a control plane, two workers, Calico, Multus and Interlay. */
export function createInventory(change: Partial<ClusterInventory> = {}): ClusterInventory {
  const returnPaths = new Map(["cp", "w1", "w2"].map((name) => [name, "notrack"]));
  return {
    server: "v1.29.15",
    nodes: [createNode("cp", { controlPlane: true }), createNode("w1"), createNode("w2")],
    kubeProxy: { kubeProxy: { version: "v1.29.15", mode: "iptables" }, source: "DaemonSet" },
    multus: "multus:v4",
    nadKind: true,
    macvlans: ["interlay-system/underlay"],
    overlay: { name: "calico", image: "calico/node:v3.28.5" },
    calico: ["10.233.64.0/18 VXLAN"],
    overlayCidrs: ["10.233.64.0/18"],
    serviceCidrs: ["10.233.0.0/18"],
    interlay: { image: "interlay:1", setting: "auto", installedBySuite: false, returnPaths },
    poolRanges: ["10.7.200.0/24"],
    heldAddresses: 0,
    denied: [],
    deniedInstall: [],
    ...change,
  };
}
