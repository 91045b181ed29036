import type { Environment } from "../../spec/environment.ts";

export const RACKS: Environment = {
  name: "racks",
  title: "two racks behind a router with a firewall",
  realClusters: "data centres with a subnet for each rack and a stateful firewall between them",
  changes:
    "the nodes are in two subnets behind a router whose firewall keeps state; each rack has a pool, and Calico encapsulates between the racks alone",
  spec: { topology: "racks", chosenReturnPath: "snat", calico: { pool: { vxlan: "CrossSubnet" } } },
  providers: ["lab"],
  impossible: [],
};
