import type { Environment } from "../../spec/environment.ts";

export const NODE_LOCAL_DNS: Environment = {
  name: "node-local-dns",
  title: "NodeLocal DNSCache at 169.254.20.10",
  realClusters: "clusters with the add-on NodeLocal DNSCache",
  changes: "every node has a DNS cache at 169.254.20.10, which pods' resolv.conf names",
  spec: { nodeLocalDns: "169.254.20.10" },
  providers: ["lab"],
  impossible: [],
};
