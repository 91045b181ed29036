import type { Environment } from "../spec/environment.ts";

/** Environments with other cluster add-ons, in the order of a run. */
export const ADDON_ENVIRONMENTS: readonly Environment[] = [
  {
    name: "node-local-dns",
    title: "NodeLocal DNSCache at 169.254.20.10",
    realClusters: "clusters with the add-on NodeLocal DNSCache",
    changes: "every node has a DNS cache at 169.254.20.10, which pods' resolv.conf names",
    spec: { nodeLocalDns: "169.254.20.10" },
    providers: ["lab"],
  },
  {
    name: "node-local-dns-kubespray",
    title: "NodeLocal DNSCache at 169.254.25.10",
    realClusters: "clusters that kubespray made",
    changes: "every node has a DNS cache at 169.254.25.10, which pods' resolv.conf names",
    spec: { nodeLocalDns: "169.254.25.10" },
    providers: ["lab"],
  },
  {
    name: "multus-thick",
    title: "Multus as a daemon with a shim",
    realClusters: "clusters that apply Multus' own multus-daemonset-thick.yml",
    changes:
      "Multus runs as a daemon on every node and calls plugins in the host's root; the plugin is a shim, and its configuration is generated from Calico's",
    spec: { multus: "thick" },
    providers: ["lab"],
  },
  {
    name: "load-balancer",
    title: "virtual addresses held by nodes",
    realClusters: "clusters with MetalLB in layer-2 mode or kube-vip, and Services with externalIPs",
    changes: "LoadBalancer Services get an address that one node holds, and so do external IPs",
    spec: { loadBalancer: true },
    providers: ["lab"],
  },
];
