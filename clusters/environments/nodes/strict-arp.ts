import type { Environment } from "../../spec/environment.ts";

export const STRICT_ARP: Environment = {
  name: "strict-arp",
  title: "strict ARP",
  realClusters: "clusters with MetalLB, kube-vip or kube-proxy's strictARP",
  changes: "arp_ignore is 1 and arp_announce is 2 on all links",
  spec: {
    nodes: {
      sysctls: {
        "net.ipv4.conf.all.arp_ignore": "1",
        "net.ipv4.conf.all.arp_announce": "2",
        "net.ipv4.conf.default.arp_ignore": "1",
        "net.ipv4.conf.default.arp_announce": "2",
      },
    },
  },
  providers: ["kind", "lab"],
  impossible: [],
};
