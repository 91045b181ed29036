import type { Environment } from "../spec/environment.ts";

/** Addresses that only kube-proxy translates. */
const TRANSLATED = new Set(["service", "node-port", "api-server", "external-ip", "load-balancer", "vip", "dns-name"]);

/** Returns the configuration of a kube-proxy for which packets from links with a name prefix come from local pods. */
function detectByLinkPrefix(interfaceNamePrefix: string) {
  return { clusterCIDR: "", detectLocalMode: "InterfaceNamePrefix", detectLocal: { interfaceNamePrefix } };
}

/** Environments with other settings of kube-proxy, or without it, in the order of a run. */
export const KUBE_PROXY_ENVIRONMENTS: readonly Environment[] = [
  {
    name: "cluster-cidr-empty",
    title: "kube-proxy without clusterCIDR",
    realClusters: "clusters made by hand, and kubeadm clusters without podSubnet",
    changes: "kube-proxy's clusterCIDR is empty, so it does not masquerade what comes from outside the pod network",
    spec: { kubeProxy: { config: { clusterCIDR: "" } } },
    providers: ["kind", "lab"],
    families: "dual",
  },
  {
    name: "cluster-cidr-covers-underlay",
    title: "kube-proxy's clusterCIDR covers the underlay",
    realClusters: "clusters whose operator named 10.0.0.0/8 as the pod network",
    changes: "kube-proxy's clusterCIDR is 10.0.0.0/8, so it takes underlay pods for overlay pods",
    spec: { kubeProxy: { config: { clusterCIDR: "10.0.0.0/8" } } },
    providers: ["kind", "lab"],
    impossible: [
      {
        cells: ({ group, family, placement, to, reaches }) =>
          group === "pod-to-node-port-local" &&
          family === "ipv4" &&
          placement === "other-node" &&
          to.node !== reaches?.node,
        reason:
          "kube-proxy takes clients from the underlay for pods and sends them to an endpoint of another node without masquerade, which answers them directly",
        condition: { type: "ServicesReady", reason: "ClusterCIDRCoversUnderlay" },
      },
    ],
    undecided: {
      cells: ({ group, family }) => group === "node-port-local" && family === "ipv4",
      reason:
        "kube-proxy takes clients from the underlay for pods, and chooses at random between an endpoint of the node, which answers them, and one of another node, whose answer is lost",
    },
  },
  {
    name: "masquerade-all",
    title: "kube-proxy with masqueradeAll",
    realClusters: "Kubespray's kube_proxy_masquerade_all and other clusters with --masquerade-all",
    changes: "kube-proxy masquerades every connection to a Service",
    spec: { kubeProxy: { config: { iptables: { masqueradeAll: true } } } },
    providers: ["kind", "lab"],
  },
  {
    name: "detect-node-cidr",
    title: "kube-proxy with detectLocalMode NodeCIDR",
    realClusters: "clusters with node podCIDRs, like GKE and kubeadm with kindnet or flannel",
    changes: "nodes have podCIDRs, and kube-proxy takes only addresses of its own node's podCIDR for local pods",
    spec: { podCidrs: true, kubeProxy: { config: { clusterCIDR: "", detectLocalMode: "NodeCIDR" } } },
    providers: ["lab"],
  },
  {
    name: "detect-interface-cali",
    title: "kube-proxy with detectLocalMode InterfaceNamePrefix cali",
    realClusters: "Calico clusters whose pod network is not one CIDR",
    changes: "kube-proxy takes what enters by links named cali… for local pods",
    spec: { kubeProxy: { config: detectByLinkPrefix("cali") } },
    providers: ["kind", "lab"],
  },
  {
    name: "detect-interface-veth",
    title: "kube-proxy with detectLocalMode InterfaceNamePrefix veth",
    realClusters: "clusters with a bridge CNI plugin, whose pod links are named veth…",
    changes: "kube-proxy takes what enters by links named veth… for local pods, the pairs of underlay pods among them",
    spec: { kubeProxy: { config: detectByLinkPrefix("veth") } },
    providers: ["kind", "lab"],
  },
  {
    name: "nftables",
    title: "kube-proxy in nftables mode",
    realClusters: "clusters from v1.29 on that set mode: nftables",
    changes: "kube-proxy writes nftables rules instead of iptables rules",
    spec: { kubeProxy: { mode: "nftables" } },
    providers: ["kind", "lab"],
    families: "dual",
  },
  {
    name: "no-kube-proxy",
    title: "no kube-proxy",
    realClusters: "clusters made with --skip-phases=addon/kube-proxy whose replacement does not run",
    changes: "kube-proxy does not run; the components of the cluster use the API server's own address",
    spec: { kubeProxy: { installed: false } },
    providers: ["lab"],
    impossible: [
      {
        cells: ({ to }) => TRANSLATED.has(to.kind),
        reason: "no kube-proxy runs, so nothing translates the addresses of Services",
        condition: { type: "ServicesReady", reason: "NoServiceRules" },
      },
    ],
  },
];
