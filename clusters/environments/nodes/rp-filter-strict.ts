import type { Environment } from "../../spec/environment.ts";

export const RP_FILTER_STRICT: Environment = {
  name: "rp-filter-strict",
  title: "strict reverse path filter",
  realClusters: "nodes of the RHEL family and hardened nodes: rp_filter=1 on all links and as the default",
  changes: "net.ipv4.conf.all.rp_filter and net.ipv4.conf.default.rp_filter are 1",
  spec: {
    nodes: {
      sysctls: {
        "net.ipv4.conf.all.rp_filter": "1",
        "net.ipv4.conf.default.rp_filter": "1",
        "net.ipv4.conf.eth0.rp_filter": "1",
      },
    },
  },
  providers: ["kind", "lab"],
  impossible: [],
};
