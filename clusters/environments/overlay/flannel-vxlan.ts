import type { Environment } from "../../spec/environment.ts";

export const FLANNEL_VXLAN: Environment = {
  name: "flannel-vxlan",
  title: "flannel with VXLAN",
  realClusters: "k3s and kubeadm clusters with flannel",
  changes:
    "flannel with its VXLAN backend in place of Calico; pods are on a bridge of their node, with addresses of its podCIDR",
  spec: { podCidrs: true, overlay: { kind: "flannel", backend: "vxlan" } },
  providers: ["lab"],
  impossible: [],
};
