import assert from "node:assert/strict";
import { checkConditions, type NodeCondition } from "./conditions.ts";
import { planBlockRoutes } from "./steps.ts";

describe("static routes to Calico's blocks", () => {
  it("lead from every node to every block of another node, by its address of the block's family", () => {
    const nodes = [
      { name: "a", address: "10.7.0.1", address6: "fd00::1" },
      { name: "b", address: "10.7.0.2", address6: "fd00::2" },
    ];
    const blocks = [
      { cidr: "10.233.64.0/26", node: "a" },
      { cidr: "fd00:1::/122", node: "b" },
      { cidr: "10.233.65.0/26", node: "a-node-that-left" },
    ];
    assert.deepEqual(planBlockRoutes(blocks, nodes), [
      { node: "a", argv: ["fd00:1::/122", "via", "fd00::2"] },
      { node: "b", argv: ["10.233.64.0/26", "via", "10.7.0.1"] },
    ]);
  });
});

describe("conditions that an environment declares", () => {
  const declared = { type: "ServicesReady", reason: "KubeProxyMissing" };
  const condition = (change: Partial<NodeCondition>): NodeCondition => ({
    node: "a",
    status: "False",
    message: "no kube-proxy: install one",
    ...declared,
    ...change,
  });

  it("conditions that an environment declares are right if False with the reason and a message on every node", () => {
    assert.deepEqual(checkConditions(declared, ["a"], [condition({})]), []);
  });

  const wrong: readonly (readonly [string, readonly NodeCondition[], string])[] = [
    ["is missing", [condition({ node: "b" })], "a has no condition ServicesReady"],
    [
      "is True",
      [condition({ status: "True", reason: "AsPlanned" })],
      "a: ServicesReady is True (AsPlanned), expected False (KubeProxyMissing)",
    ],
    [
      "has another reason",
      [condition({ reason: "Unknown" })],
      "a: ServicesReady is False (Unknown), expected False (KubeProxyMissing)",
    ],
    ["has no message", [condition({ message: "" })], "a: ServicesReady has no message"],
  ];
  for (const [what, conditions, problem] of wrong)
    it(`conditions that an environment declares are wrong if one ${what}`, () => {
      assert.deepEqual(checkConditions(declared, ["a"], conditions), [problem]);
    });
});
