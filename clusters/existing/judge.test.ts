import assert from "node:assert/strict";
import { sizeOf } from "./addresses.ts";
import type { ExistingFacts } from "./facts.ts";
import { judge } from "./judge.ts";

const node = { ready: true, kubelet: "v1.29.15", kernel: "6.1.0", controlPlane: false };
const GOOD: ExistingFacts = {
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
  interlay: { image: "interlay:1", returnPath: "notrack" },
  poolRanges: ["10.7.200.0/24"],
  heldAddresses: 0,
  denied: [],
};
const problems = (facts: Partial<ExistingFacts>, pool?: string) =>
  judge({ ...GOOD, ...facts }, pool).flatMap(({ what, problem }) => (problem ? [`${problem.severity}: ${what}`] : []));
const without = (absent: "kubeProxy" | "interlay"): ExistingFacts => {
  const facts = { ...GOOD };
  Reflect.deleteProperty(facts, absent);
  return facts;
};

describe("preflight of an existing cluster", () => {
  it("has nothing against a whole one", () => {
    assert.deepEqual(problems({}), []);
  });

  const cases: readonly (readonly [string, Partial<ExistingFacts>, string])[] = [
    ["a node that is not Ready", { nodes: [...GOOD.nodes, { ...node, name: "w3", ready: false }] }, "error: nodes"],
    ["one worker", { nodes: GOOD.nodes.slice(0, 2) }, "error: nodes"],
    ["an old kernel", { nodes: GOOD.nodes.map((n) => ({ ...n, kernel: "3.10.0-1160.el7" })) }, "error: kernels"],
    ["no Multus", { nadKind: false }, "error: Multus"],
    ["IPIP", { calico: ["10.0.0.0/16 IPIP"] }, "warning: Calico"],
    ["a full pool", { heldAddresses: 250 }, "error: free addresses"],
    ["no rights", { denied: ["create pods"] }, "error: your rights"],
  ];
  for (const [title, facts, expected] of cases)
    it(`names ${title}`, () => {
      assert.deepEqual(problems(facts), [expected]);
    });

  it("names what is not installed", () => {
    for (const [absent, row] of [
      ["kubeProxy", "kube-proxy"],
      ["interlay", "Interlay"],
    ] as const) {
      const sick = judge(without(absent)).filter(({ problem }) => problem !== undefined);
      assert.deepEqual(
        sick.map(({ what, problem }) => [what, problem?.severity]),
        [[row, "error"]],
      );
    }
  });

  it("counts a pool as CIDR or range", () => {
    assert.equal(sizeOf("10.7.200.0/24"), 256n);
    assert.equal(sizeOf("10.7.200.10-10.7.200.19"), 10n);
    assert.equal(sizeOf("10.7.200.1"), 1n);
    assert.throws(() => sizeOf("10.7.200.2-10.7.200.1"));
    assert.deepEqual(problems({}, "10.7.200.10-10.7.200.12"), ["error: free addresses"]);
  });
});
