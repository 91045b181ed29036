import type { Environment } from "../../spec/environment.ts";

export const NFTABLES: Environment = {
  name: "nftables",
  title: "kube-proxy in nftables mode",
  realClusters: "clusters from v1.29 on that set mode: nftables",
  changes: "kube-proxy writes nftables rules instead of iptables rules",
  spec: { kubeProxy: { mode: "nftables" } },
  providers: ["kind", "lab"],
  families: "dual",
  impossible: [],
};
