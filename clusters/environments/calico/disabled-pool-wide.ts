import type { Environment } from "../../spec/environment.ts";

export const DISABLED_POOL_WIDE: Environment = {
  name: "disabled-pool-wide",
  title: "a disabled Calico pool 10.0.0.0/8",
  realClusters: "clusters that exclude 10.0.0.0/8 from natOutgoing by a disabled pool, as Calico's documents propose",
  changes: "a disabled IPPool covers the underlay, the nodes and the Services",
  spec: { calico: { extraPools: [{ name: "no-nat", cidr: "10.0.0.0/8", disabled: true }] } },
  providers: ["kind", "lab"],
  impossible: [],
};
