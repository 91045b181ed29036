import type { Environment } from "../../spec/environment.ts";

export const LOAD_BALANCER: Environment = {
  name: "load-balancer",
  title: "virtual addresses held by nodes",
  realClusters: "clusters with MetalLB in layer-2 mode or kube-vip, and Services with externalIPs",
  changes: "LoadBalancer Services get an address that one node holds, and so do external IPs",
  spec: { loadBalancer: true },
  providers: ["lab"],
  impossible: [],
};
