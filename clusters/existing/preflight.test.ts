import assert from "node:assert/strict";
import { countAddresses } from "./count-addresses.ts";
import type { ClusterInventory } from "./inventory.ts";
import { checkPreconditions } from "./preflight.ts";

const node = {
  ready: true,
  schedulable: true,
  kubelet: "v1.29.15",
  kernel: "6.1.0",
  controlPlane: false,
  addresses: ["10.7.168.71"],
  runtime: "interlay-lab://1",
  providerId: "",
};
const GOOD: ClusterInventory = {
  server: "v1.29.15",
  nodes: [
    { ...node, name: "cp", controlPlane: true },
    { ...node, name: "w1" },
    { ...node, name: "w2" },
  ],
  kubeProxy: { version: "v1.29.15", mode: "iptables" },
  multus: "multus:v4",
  nadKind: true,
  macvlans: ["interlay-system/underlay"],
  calico: ["10.233.64.0/18 VXLAN"],
  overlayCidrs: ["10.233.64.0/18"],
  serviceCidrs: ["10.233.0.0/18"],
  interlay: { image: "interlay:1", returnPath: "notrack", ours: false },
  poolRanges: ["10.7.200.0/24"],
  heldAddresses: 0,
  denied: [],
  deniedInstall: [],
};
type PreflightOptions = Parameters<typeof checkPreconditions>[1];
const problems = (facts: Partial<ClusterInventory>, options?: Partial<PreflightOptions>) =>
  checkPreconditions({ ...GOOD, ...facts }, { datapath: "interlay", workers: 2, ...options }).flatMap(
    ({ what, problem }) => (problem ? [`${problem.severity}: ${what}`] : []),
  );
const without = (absent: "kubeProxy" | "interlay"): ClusterInventory => {
  const facts = { ...GOOD };
  Reflect.deleteProperty(facts, absent);
  return facts;
};

function withContainerd(nodes: ClusterInventory["nodes"]): ClusterInventory["nodes"] {
  return nodes.map((one) => ({ ...one, runtime: "containerd://1.7.1" }));
}

describe("preflight of an existing cluster", () => {
  it("finds no problem in a complete cluster", () => {
    assert.deepEqual(problems({}), []);
  });

  it("requires addresses for the workers that get pods, not for all workers", () => {
    const nodes = [...GOOD.nodes, ...[3, 4, 5, 6].map((n) => ({ ...node, name: `w${n}` }))];
    const small = { nodes, poolRanges: ["10.7.200.0/29"] };
    assert.deepEqual(problems(small), []);
    assert.deepEqual(problems(small, { workers: 6 }), ["error: free addresses"]);
  });

  it("does not check the kernel of a node without pods", () => {
    const old = { ...node, name: "w9", kernel: "3.10.0" };
    assert.deepEqual(problems({ nodes: [...GOOD.nodes, old] }), []);
  });

  const cases: readonly (readonly [string, Partial<ClusterInventory>, string])[] = [
    ["a node that is not Ready", { nodes: [...GOOD.nodes, { ...node, name: "w3", ready: false }] }, "warning: nodes"],
    ["a cordoned node", { nodes: [...GOOD.nodes, { ...node, name: "w3", schedulable: false }] }, "warning: nodes"],
    [
      "fewer than two usable workers",
      { nodes: [...GOOD.nodes.slice(0, 2), { ...node, name: "w3", ready: false }] },
      "error: nodes",
    ],
    ["one worker", { nodes: GOOD.nodes.slice(0, 2) }, "error: nodes"],
    ["an old kernel", { nodes: GOOD.nodes.map((n) => ({ ...n, kernel: "3.10.0-1160.el7" })) }, "error: kernels"],
    ["no Multus", { nadKind: false }, "error: Multus"],
    ["IPIP", { calico: ["10.0.0.0/16 IPIP"] }, "warning: Calico"],
    ["a full pool", { heldAddresses: 250 }, "error: free addresses"],
    ["missing permissions", { denied: ["create pods"] }, "error: permissions"],
    ["two networks, none of them Interlay's", { macvlans: ["a/x", "a/y"] }, "error: network of underlay links"],
    ["nodes that cannot get the image", { nodes: withContainerd(GOOD.nodes) }, "error: images"],
  ];
  for (const [title, facts, expected] of cases)
    it(`reports ${title}`, () => {
      assert.deepEqual(problems(facts), [expected]);
    });

  it("reports a missing kube-proxy", () => {
    const problemRows = checkPreconditions(without("kubeProxy")).flatMap(({ what, problem }) =>
      problem === undefined ? [] : [what],
    );
    assert.deepEqual(problemRows, ["kube-proxy"]);
  });

  it("allows the installation of Interlay with a range, permissions and images", () => {
    const listProblems = (facts: ClusterInventory, options: Partial<PreflightOptions> = {}) =>
      checkPreconditions(facts, { datapath: "interlay", workers: 2, ...options }).flatMap(({ what, problem }) =>
        problem ? [what] : [],
      );
    const bare = { ...without("interlay"), macvlans: [], poolRanges: [] };
    assert.deepEqual(listProblems(bare), ["Interlay", "free addresses"]);
    assert.deepEqual(listProblems(bare, { pool: "10.7.210.0/24" }), []);
    assert.deepEqual(listProblems({ ...bare, deniedInstall: ["create DaemonSets"] }, { pool: "10.7.210.0/24" }), [
      "permissions",
    ]);
    const named = { pool: "10.7.210.0/24", image: "registry/probe:1" };
    assert.deepEqual(listProblems(bare, named), ["images"]);
    assert.deepEqual(listProblems(bare, { ...named, agentImage: "registry/interlay:1" }), []);
  });

  it("does not require Interlay with --datapath none", () => {
    const other = { ...without("interlay"), macvlans: ["kube-system/macvlan"], poolRanges: [], deniedInstall: ["all"] };
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
