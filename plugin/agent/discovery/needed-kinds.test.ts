import assert from "node:assert/strict";
import { listNeededKinds } from "./needed-kinds.ts";
import type { Observations } from "./observations.ts";

const NETWORKS: Observations = {
  nodeName: "n1",
  nodeAddresses: [],
  kubeletVersion: "",
  distributionArguments: [],
  nodes: [],
  calicoPools: [{ cidr: "10.233.64.0/18", disabled: false }],
  calicoBlocks: [],
  cilium: undefined,
  flannel: [],
  kubeadm: undefined,
  kubeProxyConfig: undefined,
  serviceCidrObjects: ["10.233.0.0/18"],
  apiServerAddresses: [],
  serviceAddresses: [],
  controlPlaneArguments: [],
  underlayPools: [],
  links: [],
  defaultLinks: [],
  settings: {},
};

describe("listNeededKinds", () => {
  const ROWS: readonly (readonly [string, Partial<Observations>, readonly string[]])[] = [
    ["nothing in a cluster that names its networks", {}, []],
    [
      "blocks where a Calico pool is disabled",
      {
        calicoPools: [NETWORKS.calicoPools?.[0], { cidr: "10.0.0.0/8", disabled: true }].filter((p) => p !== undefined),
      },
      ["calicoBlocks"],
    ],
    ["nodes where no source names the overlay", { calicoPools: undefined }, ["nodes"]],
    ["nodes where no source names the Services", { serviceCidrObjects: undefined }, ["nodes"]],
    ["nothing where a setting names the overlay", { calicoPools: undefined, settings: { overlayCidrs: "none" } }, []],
    [
      "nothing where a setting of the node does",
      { calicoPools: undefined, settings: { "n1.overlayCidrs": "10.1.0.0/16" } },
      [],
    ],
    [
      "nodes where a Service has an external address",
      { serviceAddresses: [{ address: "10.7.250.1", reason: "" }] },
      ["nodes"],
    ],
  ];
  for (const [what, seen, kinds] of ROWS)
    it(what, () => {
      assert.deepEqual(listNeededKinds({ ...NETWORKS, ...seen }), kinds);
    });
});
