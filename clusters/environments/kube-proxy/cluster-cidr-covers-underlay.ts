import type { Environment } from "../environment.ts";

export const CLUSTER_CIDR_COVERS_UNDERLAY: Environment = {
  name: "cluster-cidr-covers-underlay",
  title: "kube-proxy's clusterCIDR covers the underlay",
  realClusters: "clusters whose operator named 10.0.0.0/8 as the pod network",
  changes: "kube-proxy's clusterCIDR is 10.0.0.0/8, so it takes underlay pods for overlay pods",
  spec: { kubeProxy: { config: { clusterCIDR: "10.0.0.0/8" } } },
  providers: ["kind", "lab"],
  impossible: [],
};
