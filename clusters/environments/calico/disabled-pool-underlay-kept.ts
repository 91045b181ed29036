import type { Environment } from "../../spec/environment.ts";

export const DISABLED_POOL_UNDERLAY_KEPT: Environment = {
  name: "disabled-pool-underlay-kept",
  title: "a disabled Calico pool equal to the underlay",
  realClusters: "clusters whose operator turned off masquerade towards the underlay by a disabled pool",
  changes: "a disabled IPPool has the underlay's CIDR",
  spec: { calico: { extraPools: [{ name: "underlay-no-nat", cidr: "underlay", disabled: true }] } },
  providers: ["kind", "lab"],
  impossible: [],
};
