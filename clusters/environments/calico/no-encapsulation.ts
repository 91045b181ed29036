import type { Environment } from "../../spec/environment.ts";

export const NO_ENCAPSULATION: Environment = {
  name: "no-encapsulation",
  title: "Calico without encapsulation, static routes",
  realClusters: "clusters on one subnet whose operator or fabric routes the pod network",
  changes: "Calico uses neither VXLAN nor BGP; every node has static routes to the other nodes' blocks",
  spec: {
    calico: { backend: "none", pool: { vxlan: "Never" } },
    beforeCells: [{ kind: "route-blocks" }],
  },
  providers: ["lab"],
  families: "dual",
  impossible: [],
};
