import type { Environment } from "../../spec/environment.ts";

export const NODE_LOCAL_DNS_KUBESPRAY: Environment = {
  name: "node-local-dns-kubespray",
  title: "NodeLocal DNSCache at 169.254.25.10",
  realClusters: "clusters that kubespray made",
  changes: "every node has a DNS cache at 169.254.25.10, which pods' resolv.conf names",
  spec: { nodeLocalDns: "169.254.25.10" },
  providers: ["lab"],
  impossible: [],
};
