import type { Environment } from "../../spec/environment.ts";

export const BRIDGE: Environment = {
  name: "bridge",
  title: "reference bridge with node routes",
  realClusters: "kind with kindnet, and clusters whose cloud routes the nodes' podCIDRs",
  changes:
    "the reference plugins bridge and host-local in place of Calico; every node has routes to the other nodes' podCIDRs",
  spec: { podCidrs: true, overlay: { kind: "bridge" } },
  providers: ["lab"],
  impossible: [],
};
