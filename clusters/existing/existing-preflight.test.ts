import assert from "node:assert/strict";
import { countAddresses } from "./count-addresses.ts";
import { createInventory, createNode } from "./inventory/inventory-fixtures.ts";
import type { ClusterInventory } from "./inventory/inventory.ts";
import { checkPreconditions } from "./existing-preflight.ts";

const GOOD = createInventory();
type PreflightOptions = Parameters<typeof checkPreconditions>[1];
const problems = (facts: Partial<ClusterInventory>, options?: Partial<PreflightOptions>) =>
  checkPreconditions({ ...GOOD, ...facts }, { datapath: "interlay", workers: 2, ...options }).flatMap(
    ({ property, problem }) => (problem ? [`${problem.severity}: ${property}`] : []),
  );
const WITHOUT_INTERLAY = createInventory({ interlay: undefined });

function withContainerd(nodes: ClusterInventory["nodes"]): ClusterInventory["nodes"] {
  return nodes.map((one) => ({ ...one, runtime: "containerd://1.7.1" }));
}

describe("preflight of an existing cluster", () => {
  it("finds no problem in a complete cluster", () => {
    assert.deepEqual(problems({}), []);
  });

  it("requires addresses for the workers that get pods, not for all workers", () => {
    const nodes = [...GOOD.nodes, ...[3, 4, 5, 6].map((n) => createNode(`w${n}`))];
    const returnPaths = new Map(nodes.map(({ name }) => [name, "notrack"]));
    const interlay = { image: "interlay:1", setting: "auto", installedBySuite: false, returnPaths };
    const small = { nodes, interlay, poolRanges: ["10.7.200.0/29"] };
    assert.deepEqual(problems(small), ["warning: nodes"]);
    assert.deepEqual(problems(small, { workers: 6 }), ["error: free addresses"]);
  });

  it("does not check the kernel of a node without pods", () => {
    const old = createNode("w9", { kernel: "3.10.0" });
    assert.deepEqual(problems({ nodes: [...GOOD.nodes, old] }), ["warning: nodes"]);
  });

  it("requires no images for a node without pods", () => {
    const other = createNode("w9", { ready: false, runtime: "" });
    assert.deepEqual(problems({ nodes: [...GOOD.nodes, other] }), ["warning: nodes"]);
  });

  const cases: readonly (readonly [string, Partial<ClusterInventory>, string])[] = [
    ["a node that is not Ready", { nodes: [...GOOD.nodes, createNode("w3", { ready: false })] }, "warning: nodes"],
    ["a cordoned node", { nodes: [...GOOD.nodes, createNode("w3", { schedulable: false })] }, "warning: nodes"],
    ["no usable worker", { nodes: [...GOOD.nodes.slice(0, 1), createNode("w3", { ready: false })] }, "error: nodes"],
    ["one worker", { nodes: GOOD.nodes.slice(0, 2) }, "warning: nodes"],
    ["a node without an agent", { nodes: [...GOOD.nodes, createNode("w3")] }, "warning: nodes"],
    [
      "agents with different return paths",
      {
        interlay: {
          image: "i",
          setting: "auto",
          installedBySuite: false,
          returnPaths: new Map([
            ["w1", "notrack"],
            ["w2", "snat"],
          ]),
        },
      },
      "error: Interlay",
    ],
    [
      "IPVS",
      { kubeProxy: { kubeProxy: { version: "v1.31.4", mode: "ipvs" }, source: "DaemonSet" } },
      "warning: kube-proxy",
    ],
    [
      "a cluster without kube-proxy",
      { kubeProxy: { kubeProxy: { version: "none", mode: "none" }, source: "Cilium replaces it" } },
      "warning: kube-proxy",
    ],
    ["an unknown mode of kube-proxy", { kubeProxy: { problem: "mode userspace" } }, "error: kube-proxy"],
    ["an overlay whose network is not known", { calico: [], overlayCidrs: [] }, "warning: overlay"],
    ["an old kernel", { nodes: GOOD.nodes.map((n) => ({ ...n, kernel: "3.10.0-1160.el7" })) }, "error: kernels"],
    ["no Multus", { nadKind: false }, "error: Multus"],
    ["IPIP", { calico: ["10.0.0.0/16 IPIP"] }, "warning: overlay"],
    ["a full pool", { heldAddresses: 250 }, "error: free addresses"],
    ["missing permissions", { denied: ["create pods"] }, "error: permissions"],
    ["two networks, none of them Interlay's", { macvlans: ["a/x", "a/y"] }, "error: network of underlay links"],
    ["nodes that cannot get the image", { nodes: withContainerd(GOOD.nodes) }, "error: images"],
  ];
  for (const [title, facts, expected] of cases)
    it(`reports ${title}`, () => {
      assert.deepEqual(problems(facts), [expected]);
    });

  it("allows the installation of Interlay with a range, permissions and images", () => {
    const listProblems = (facts: ClusterInventory, options: Partial<PreflightOptions> = {}) =>
      checkPreconditions(facts, { datapath: "interlay", workers: 2, ...options }).flatMap(({ property, problem }) =>
        problem ? [property] : [],
      );
    const withoutAddresses = { ...WITHOUT_INTERLAY, macvlans: [], poolRanges: [] };
    assert.deepEqual(listProblems(withoutAddresses), ["Interlay", "free addresses"]);
    assert.deepEqual(listProblems(withoutAddresses, { pool: "10.7.210.0/24" }), []);
    assert.deepEqual(
      listProblems({ ...withoutAddresses, deniedInstall: ["create DaemonSets"] }, { pool: "10.7.210.0/24" }),
      ["permissions"],
    );
    const named = { pool: "10.7.210.0/24", image: "registry/probe:1" };
    assert.deepEqual(listProblems(withoutAddresses, named), ["images"]);
    assert.deepEqual(listProblems(withoutAddresses, { ...named, agentImage: "registry/interlay:1" }), []);
  });

  it("does not require Interlay with --datapath none", () => {
    const other = { ...WITHOUT_INTERLAY, macvlans: ["kube-system/macvlan"], poolRanges: [], deniedInstall: ["all"] };
    assert.deepEqual(problems(other, { datapath: "none" }), []);
  });

  it("counts the addresses of a CIDR, a range and a single address", () => {
    assert.equal(countAddresses("10.7.200.0/24"), 256n);
    assert.equal(countAddresses("10.7.200.10-10.7.200.19"), 10n);
    assert.equal(countAddresses("10.7.200.1"), 1n);
    assert.throws(() => countAddresses("10.7.200.2-10.7.200.1"));
    assert.deepEqual(problems({}, { pool: "10.7.200.10-10.7.200.12" }), ["error: free addresses"]);
  });
});
