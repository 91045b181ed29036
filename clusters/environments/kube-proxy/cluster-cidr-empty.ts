import type { Environment } from "../../spec/environment.ts";

export const CLUSTER_CIDR_EMPTY: Environment = {
  name: "cluster-cidr-empty",
  title: "kube-proxy without clusterCIDR",
  realClusters: "clusters made by hand, and kubeadm clusters without podSubnet",
  changes: "kube-proxy's clusterCIDR is empty, so it does not masquerade what comes from outside the pod network",
  spec: { kubeProxy: { config: { clusterCIDR: "" } } },
  providers: ["kind", "lab"],
  families: "dual",
  impossible: [],
};
