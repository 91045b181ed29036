import type { Environment } from "../spec/environment.ts";

/** Environments with another pod network than Calico, in the order of a run. */
export const OVERLAY_ENVIRONMENTS: readonly Environment[] = [
  {
    name: "flannel-vxlan",
    title: "flannel with VXLAN",
    realClusters: "k3s and kubeadm clusters with flannel",
    changes:
      "flannel with its VXLAN backend in place of Calico; pods are on a bridge of their node, with addresses of its podCIDR",
    spec: { podCidrs: true, overlay: { kind: "flannel", backend: "vxlan" } },
    providers: ["lab"],
  },
  {
    name: "flannel-host-gw",
    title: "flannel with host routes",
    realClusters: "clusters on one subnet with flannel's host-gw backend",
    changes: "flannel routes the pod network by the nodes' addresses, without encapsulation, in place of Calico",
    spec: { podCidrs: true, overlay: { kind: "flannel", backend: "host-gw" } },
    providers: ["lab"],
  },
  {
    name: "bridge",
    title: "reference bridge with node routes",
    realClusters: "kind with kindnet, and clusters whose cloud routes the nodes' podCIDRs",
    changes:
      "the reference plugins bridge and host-local in place of Calico; every node has routes to the other nodes' podCIDRs",
    spec: { podCidrs: true, overlay: { kind: "bridge" } },
    providers: ["lab"],
  },
];
