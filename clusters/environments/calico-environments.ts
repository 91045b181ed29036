import type { Environment } from "../spec/environment.ts";

/** Environments with other settings of Calico, in the order of a run. */
export const CALICO_ENVIRONMENTS: readonly Environment[] = [
  {
    name: "nat-outgoing-off",
    title: "Calico pools without natOutgoing",
    realClusters: "clusters whose fabric routes the pod network",
    changes: "Calico does not masquerade what pods send outside of its pools",
    spec: { calico: { pool: { natOutgoing: false } } },
    providers: ["kind", "lab"],
    families: "dual",
  },
  {
    name: "disabled-pool-wide",
    title: "a disabled Calico pool 10.0.0.0/8",
    realClusters: "clusters that exclude 10.0.0.0/8 from natOutgoing by a disabled pool, as Calico's documents propose",
    changes: "a disabled IPPool covers the underlay, the nodes and the Services",
    spec: { calico: { extraPools: [{ name: "no-nat", cidr: "10.0.0.0/8", disabled: true }] } },
    providers: ["kind", "lab"],
  },
  {
    name: "disabled-pool-underlay",
    title: "a disabled Calico pool equal to the underlay, created and deleted while pods run",
    realClusters: "clusters whose operator turns off masquerade towards the underlay by a disabled pool",
    changes: "an IPPool with the underlay's CIDR is made and deleted again while pods run",
    spec: {
      beforeCells: [
        { kind: "create-pool", pool: { name: "underlay-no-nat", cidr: "underlay", disabled: true } },
        { kind: "wait", seconds: 4 },
        { kind: "delete-pool", name: "underlay-no-nat" },
        { kind: "wait", seconds: 4 },
      ],
    },
    providers: ["kind", "lab"],
  },
  {
    name: "disabled-pool-underlay-kept",
    title: "a disabled Calico pool equal to the underlay",
    realClusters: "clusters whose operator turned off masquerade towards the underlay by a disabled pool",
    changes: "a disabled IPPool has the underlay's CIDR",
    spec: { calico: { extraPools: [{ name: "underlay-no-nat", cidr: "underlay", disabled: true }] } },
    providers: ["kind", "lab"],
  },
  {
    name: "interface-prefix",
    title: "Calico's pod links with another name prefix",
    realClusters: "clusters with FELIX_INTERFACEPREFIX, like those that came from another CNI plugin",
    changes: "pods' links on the node are named pod… instead of cali…",
    spec: { calico: { interfacePrefix: "pod" } },
    providers: ["lab"],
  },
  {
    name: "no-encapsulation",
    title: "Calico without encapsulation, static routes",
    realClusters: "clusters on one subnet whose operator or fabric routes the pod network",
    changes: "Calico uses neither VXLAN nor BGP; every node has static routes to the other nodes' blocks",
    spec: {
      calico: { backend: "none", pool: { vxlan: "Never" } },
      beforeCells: [{ kind: "route-blocks" }],
    },
    providers: ["lab"],
    families: "dual",
  },
  {
    name: "wireguard",
    title: "Calico with WireGuard",
    realClusters: "clusters with wireguardEnabled",
    changes: "Calico encrypts pod traffic between nodes",
    spec: { calico: { env: { FELIX_WIREGUARDENABLED: "true" } } },
    providers: ["lab"],
    requires: [{ linkType: "wireguard" }],
  },
  {
    name: "racks",
    title: "two racks behind a router with a firewall",
    realClusters: "data centres with a subnet for each rack and a stateful firewall between them",
    changes:
      "the nodes are in two subnets behind a router whose firewall keeps state; each rack has a pool, and Calico encapsulates between the racks alone",
    spec: { topology: "racks", chosenReturnPath: "snat", calico: { pool: { vxlan: "CrossSubnet" } } },
    providers: ["lab"],
  },
];
