import type { Environment } from "../../spec/environment.ts";

export const SECOND_NIC: Environment = {
  name: "second-nic",
  title: "InternalIP on the second link",
  realClusters: "nodes whose first link is for management, with the default route",
  changes:
    "every node has a management link with the default route, and its InternalIP on a second link, which is the parent of the underlay links",
  spec: { topology: "second-nic" },
  providers: ["lab"],
  impossible: [],
};
