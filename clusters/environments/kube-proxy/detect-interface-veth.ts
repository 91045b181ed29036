import type { Environment } from "../../spec/environment.ts";

export const DETECT_INTERFACE_VETH: Environment = {
  name: "detect-interface-veth",
  title: "kube-proxy with detectLocalMode InterfaceNamePrefix veth",
  realClusters: "clusters with a bridge CNI plugin, whose pod links are named veth…",
  changes: "kube-proxy takes what enters by links named veth… for local pods, the pairs of underlay pods among them",
  spec: {
    kubeProxy: {
      config: {
        clusterCIDR: "",
        detectLocalMode: "InterfaceNamePrefix",
        detectLocal: { interfaceNamePrefix: "veth" },
      },
    },
  },
  providers: ["kind", "lab"],
  impossible: [],
};
