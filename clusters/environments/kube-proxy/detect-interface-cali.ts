import type { Environment } from "../../spec/environment.ts";

export const DETECT_INTERFACE_CALI: Environment = {
  name: "detect-interface-cali",
  title: "kube-proxy with detectLocalMode InterfaceNamePrefix cali",
  realClusters: "Calico clusters whose pod network is not one CIDR",
  changes: "kube-proxy takes what enters by links named cali… for local pods",
  spec: {
    kubeProxy: {
      config: {
        clusterCIDR: "",
        detectLocalMode: "InterfaceNamePrefix",
        detectLocal: { interfaceNamePrefix: "cali" },
      },
    },
  },
  providers: ["kind", "lab"],
  impossible: [],
};
