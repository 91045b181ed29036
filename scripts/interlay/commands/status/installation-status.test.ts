import assert from "node:assert/strict";
import type { NodeStatus, InstallationObservation } from "./observation.ts";
import { renderStatus } from "./render-status.ts";
import { judgeInstallation } from "./installation-status.ts";

const TRUE = { type: "FactsReady", status: "True", reason: "Found", message: "Every fact was found." };
const NODE: NodeStatus = { returnPath: "notrack", kubeProxy: "v1.29.15 iptables", attachments: 2, conditions: [TRUE] };
const AGENTS = { image: "registry.example/interlay:1", desired: 1, ready: 1, updated: 1, observed: true };
const POOL = { name: "underlay", subnet: "10.7.0.0/16", total: 10, used: 2, free: 8 };

function judgeObservation(changes: Partial<InstallationObservation> = {}, needsPool = true) {
  const observation = {
    server: "v1.29.15",
    agents: AGENTS,
    controllers: { desired: 2, ready: 2 },
    pods: new Map([["a", true]]),
    nodes: new Map([["a", NODE]]),
    pools: [POOL],
    ...changes,
  };
  return judgeInstallation(observation, needsPool);
}

describe("the status of an installation", () => {
  it("is ready if each agent is, and all conditions are True", () => {
    assert.deepEqual(judgeObservation().problems, []);
    assert.equal(judgeObservation().ready, true);
  });

  const table: readonly (readonly [string, Partial<InstallationObservation>, RegExp])[] = [
    ["Interlay is not installed", { agents: undefined }, /not installed/],
    ["the controller has not seen the DaemonSet", { agents: { ...AGENTS, observed: false } }, /newest version yet/],
    ["no agent is scheduled", { agents: { ...AGENTS, desired: 0, ready: 0, updated: 0 } }, /No agent is scheduled/],
    ["an upgrade is not complete", { agents: { ...AGENTS, desired: 2 } }, /1 of 2 agents have the newest version/],
    ["an agent is not ready", { agents: { ...AGENTS, desired: 2, updated: 2 } }, /1 of 2 agents are ready/],
    ["the controller is not installed", { controllers: undefined }, /interlay-controller does not exist/],
    ["no controller is ready", { controllers: { desired: 2, ready: 0 } }, /No replica of the controller is ready/],
    ["the conditions of a dead agent are True", { pods: new Map([["a", false]]) }, /a: its agent is not ready/],
    ["an agent has published nothing", { nodes: new Map() }, /a: its agent has not published/],
    [
      "a condition is False",
      {
        nodes: new Map([
          ["a", { ...NODE, conditions: [TRUE, { ...TRUE, type: "GateOpen", status: "False", reason: "Closed" }] }],
        ]),
      },
      /a: GateOpen \(Closed\)/,
    ],
    [
      "a condition is Unknown",
      { nodes: new Map([["a", { ...NODE, conditions: [{ ...TRUE, status: "Unknown" }] }]]) },
      /a: FactsReady/,
    ],
    ["no pool exists", { pools: [] }, /No UnderlayPool exists/],
    ["a pool is full", { pools: [{ ...POOL, used: 10, free: 0 }] }, /underlay has no free address/],
  ];
  for (const [title, changes, problem] of table)
    it(`is not ready while ${title}, and says so`, () => {
      const status = judgeObservation(changes);
      assert.equal(status.ready, false);
      assert.match(status.problems.join("\n"), problem);
    });

  it("is ready without a pool if none is needed, as after an installation without one", () => {
    assert.equal(judgeObservation({ pools: [] }, false).ready, true);
  });

  it("is rendered with a line for each node and pool, and the problems", () => {
    const text = renderStatus(judgeObservation({ pools: [{ ...POOL, used: 10, free: 0 }] }));
    assert.match(text, /^a +yes +- +notrack +v1\.29\.15 iptables +2$/m);
    assert.match(text, /^underlay +10\.7\.0\.0\/16 +10 +10 +0$/m);
    assert.match(text, /not ready:\n {2}UnderlayPool underlay/);
  });
});
