import type { Environment } from "../../spec/environment.ts";

export const DETECT_NODE_CIDR: Environment = {
  name: "detect-node-cidr",
  title: "kube-proxy with detectLocalMode NodeCIDR",
  realClusters: "clusters with node podCIDRs, like GKE and kubeadm with kindnet or flannel",
  changes: "nodes have podCIDRs, and kube-proxy takes only addresses of its own node's podCIDR for local pods",
  spec: { podCidrs: true, kubeProxy: { config: { clusterCIDR: "", detectLocalMode: "NodeCIDR" } } },
  providers: ["lab"],
  impossible: [],
};
