import type { Environment } from "../../spec/environment.ts";

export const NAT_OUTGOING_OFF: Environment = {
  name: "nat-outgoing-off",
  title: "Calico pools without natOutgoing",
  realClusters: "clusters whose fabric routes the pod network",
  changes: "Calico does not masquerade what pods send outside of its pools",
  spec: { calico: { pool: { natOutgoing: false } } },
  providers: ["kind", "lab"],
  families: "dual",
  impossible: [],
};
