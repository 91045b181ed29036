import type { Environment } from "../../spec/environment.ts";

export const MTU_1400: Environment = {
  name: "mtu-1400",
  title: "MTU 1400 on the wire",
  realClusters: "nodes on a tunnel or on a cloud network, like OpenStack with VXLAN and GCP",
  changes: "the wire and the nodes' links have MTU 1400, Calico's links 1350",
  spec: { nodes: { mtu: 1400 } },
  providers: ["lab"],
  families: "dual",
  impossible: [],
};
