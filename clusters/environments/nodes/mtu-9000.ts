import type { Environment } from "../../spec/environment.ts";

export const MTU_9000: Environment = {
  name: "mtu-9000",
  title: "MTU 9000 on the wire",
  realClusters: "data centres with jumbo frames",
  changes: "the wire and the nodes' links have MTU 9000, Calico's links 8950",
  spec: { nodes: { mtu: 9000 } },
  providers: ["lab"],
  families: "dual",
  impossible: [],
};
