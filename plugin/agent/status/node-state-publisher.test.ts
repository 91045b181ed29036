import assert from "node:assert/strict";
import { parseCidr } from "../../datapath/address.ts";
import { makeFacts } from "../../testing/facts.ts";
import { buildNodeStatus } from "./node-state-publisher.ts";
import { type AgentStatus, createAgentStatus } from "./agent-status.ts";

const facts = makeFacts({ overlayCidrs: [parseCidr("10.233.64.0/18")], serviceCidrs: [parseCidr("10.233.0.0/18")] });
const well: AgentStatus = {
  ...createAgentStatus(facts),
  returnPathError: undefined,
  gate: { open: true, reason: "Open." },
  services: { ready: true, reason: "RulesPresent", message: "Rules." },
  ipamError: undefined,
};
const NOW = new Date("2026-01-02T03:04:05Z");

describe("NodeState's conditions", () => {
  const ROWS: readonly (readonly [string, Partial<AgentStatus>, string])[] = [
    ["all is well", {}, ""],
    ["no facts", { facts: undefined, problems: ["No overlay."] }, "FactsReady FactMissing: No overlay."],
    ["last good facts", { problems: ["No overlay."] }, "FactsReady NotRenewed: No overlay."],
    [
      "a network that covers the underlay",
      {
        facts: {
          ...facts,
          refusedNetworks: [
            {
              network: parseCidr("10.7.0.0/16"),
              source: "Calico IPPools",
              reason: "it is the network of eth0 of node n1",
            },
          ],
        },
      },
      "FactsReady NetworkRefused: Calico IPPools says 10.7.0.0/16, but it is the network of eth0 of node n1: pods reach it by the wire, not through the node. Take it out of there, or set the right networks in ConfigMap interlay-config.",
    ],
    ["the return path", { returnPathError: "nft: no" }, "ReturnPathReady NotApplied: nft: no"],
    ["the gate", { gate: { open: false, reason: "Restart it." } }, "GateOpen Closed: Restart it."],
    [
      "no kube-proxy",
      { services: { ready: false, reason: "NoServiceRules", message: "No rules." } },
      "ServicesReady NoServiceRules: No rules.",
    ],
    ["addresses", { ipamError: "EACCES" }, "IPAMReady Failed: EACCES"],
    [
      "what cannot be put back",
      { repair: { ...well.repair, failed: ["a/b eth0: no"] } },
      "AttachmentsReady RepairFailed: a/b eth0: no",
    ],
  ];
  for (const [what, change, wrong] of ROWS)
    it(what, () => {
      const { conditions } = buildNodeStatus({ ...well, ...change }, [], NOW);
      assert.equal(conditions.length, 6);
      const failing = conditions.filter(({ status }) => status === "False");
      assert.ok(
        failing.some((c) => `${c.type} ${c.reason}: ${c.message}` === wrong) || (wrong === "" && failing.length === 0),
        JSON.stringify(failing),
      );
    });

  it("reports disagreeing sources and invalid pools, and stays True", () => {
    const { conditions } = buildNodeStatus(
      { ...well, disagreements: ["A says x, B says y."], poolProblems: ["UnderlayPool p: no."] },
      [],
      NOW,
    );
    const of = (type: string) => conditions.find((condition) => condition.type === type);
    assert.deepEqual([of("FactsReady")?.status, of("FactsReady")?.reason], ["True", "SourcesDisagree"]);
    assert.match(of("FactsReady")?.message ?? "", /A says x, B says y/);
    assert.deepEqual([of("IPAMReady")?.status, of("IPAMReady")?.reason], ["True", "PoolsWrong"]);
  });

  it("should keep the transition time until the status changes", () => {
    const first = buildNodeStatus(well, [], NOW).conditions;
    const later = new Date("2026-01-02T04:00:00Z");
    const same = buildNodeStatus(well, first, later).conditions;
    assert.deepEqual(
      same.map((c) => c.lastTransitionTime),
      first.map(() => NOW.toISOString()),
    );
    const changed = buildNodeStatus({ ...well, ipamError: "no" }, same, later).conditions;
    assert.equal(changed.find(({ type }) => type === "IPAMReady")?.lastTransitionTime, later.toISOString());
  });
});
