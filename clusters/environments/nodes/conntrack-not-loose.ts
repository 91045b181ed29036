import type { Environment } from "../../spec/environment.ts";

export const CONNTRACK_NOT_LOOSE: Environment = {
  name: "conntrack-not-loose",
  title: "conntrack picks up no connection in its middle",
  realClusters: "hardened nodes with nf_conntrack_tcp_loose=0",
  changes: "net.netfilter.nf_conntrack_tcp_loose is 0",
  spec: { nodes: { sysctls: { "net.netfilter.nf_conntrack_tcp_loose": "0" } } },
  providers: ["kind", "lab"],
  families: "dual",
  impossible: [],
};
