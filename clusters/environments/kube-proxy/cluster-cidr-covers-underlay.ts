import type { Environment, EnvironmentCell } from "../../spec/environment.ts";

export const CLUSTER_CIDR_COVERS_UNDERLAY: Environment = {
  name: "cluster-cidr-covers-underlay",
  title: "kube-proxy's clusterCIDR covers the underlay",
  realClusters: "clusters whose operator named 10.0.0.0/8 as the pod network",
  changes: "kube-proxy's clusterCIDR is 10.0.0.0/8, so it takes underlay pods for overlay pods",
  spec: { kubeProxy: { config: { clusterCIDR: "10.0.0.0/8" } } },
  providers: ["kind", "lab"],
  impossible: [
    {
      cells: ({ group, family, placement, to, reaches }: EnvironmentCell) =>
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
    cells: ({ group, family }: EnvironmentCell) => group === "node-port-local" && family === "ipv4",
    reason:
      "kube-proxy takes clients from the underlay for pods, and chooses at random between an endpoint of the node, which answers them, and one of another node, whose answer is lost",
  },
};
