import type { Environment } from "../../spec/environment.ts";

export const FLANNEL_HOST_GW: Environment = {
  name: "flannel-host-gw",
  title: "flannel with host routes",
  realClusters: "clusters on one subnet with flannel's host-gw backend",
  changes: "flannel routes the pod network by the nodes' addresses, without encapsulation, in place of Calico",
  spec: { podCidrs: true, overlay: { kind: "flannel", backend: "host-gw" } },
  providers: ["lab"],
  impossible: [],
};
