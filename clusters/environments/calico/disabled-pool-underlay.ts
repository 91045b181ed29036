import type { Environment } from "../../spec/environment.ts";

export const DISABLED_POOL_UNDERLAY: Environment = {
  name: "disabled-pool-underlay",
  title: "a disabled Calico pool equal to the underlay, created and deleted while pods run",
  realClusters: "clusters whose operator turns off masquerade towards the underlay by a disabled pool",
  changes: "an IPPool with the underlay's CIDR is made and deleted again while pods run",
  spec: {
    beforeCells: [
      { kind: "create-pool", pool: { name: "underlay-no-nat", cidr: "underlay", disabled: true } },
      { kind: "wait", seconds: 4 },
      { kind: "delete-pool", name: "underlay-no-nat" },
      { kind: "wait", seconds: 4 },
    ],
  },
  providers: ["kind", "lab"],
  impossible: [],
};
