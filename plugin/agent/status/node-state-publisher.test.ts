import assert from "node:assert/strict";
import { parseCidr } from "../../datapath/address.ts";
import { makeFacts } from "../../testing/make-facts.ts";
import { VERSION } from "../../version/version.ts";
import { type KubeClient } from "../../kubernetes/kube-client.ts";
import { KubeError } from "../../kubernetes/kube-error.ts";
import { type FactsStatus, nodeStateStatusSchema } from "../../kubernetes/status-schemas.ts";
import type { Facts } from "../../datapath/facts.ts";
import { buildNodeStateStatus, NodeStatePublisher } from "./node-state-publisher.ts";
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
    [
      "a path that fails",
      { paths: { status: "False", reason: "PacketsLost", message: "A rule drops it." } },
      "PathsReady PacketsLost: A rule drops it.",
    ],
  ];
  for (const [what, change, wrong] of ROWS)
    it(what, () => {
      const { conditions, ready, reason, version } = buildNodeStateStatus({ ...well, ...change }, [], NOW);
      assert.equal(conditions.length, 7);
      assert.deepEqual([ready, version], [wrong === "" ? "True" : "False", VERSION]);
      assert.ok(reason === "" ? wrong === "" : wrong.startsWith(`${reason.replace(": ", " ")}:`), reason);
      const failing = conditions.filter(({ status }) => status === "False");
      assert.ok(
        failing.some((c) => `${c.type} ${c.reason}: ${c.message}` === wrong) || (wrong === "" && failing.length === 0),
        JSON.stringify(failing),
      );
    });

  it("reports disagreeing sources and invalid pools, and stays True", () => {
    const { conditions } = buildNodeStateStatus(
      { ...well, disagreements: ["A says x, B says y."], poolProblems: ["UnderlayPool p: no."] },
      [],
      NOW,
    );
    const findCondition = (type: string) => conditions.find((condition) => condition.type === type);
    assert.deepEqual(
      [findCondition("FactsReady")?.status, findCondition("FactsReady")?.reason],
      ["True", "SourcesDisagree"],
    );
    assert.match(findCondition("FactsReady")?.message ?? "", /A says x, B says y/);
    assert.deepEqual([findCondition("IPAMReady")?.status, findCondition("IPAMReady")?.reason], ["True", "PoolsWrong"]);
  });

  it("should keep the transition time until the status changes", () => {
    const first = buildNodeStateStatus(well, [], NOW).conditions;
    const later = new Date("2026-01-02T04:00:00Z");
    const same = buildNodeStateStatus(well, first, later).conditions;
    assert.deepEqual(
      same.map((c) => c.lastTransitionTime),
      first.map(() => NOW.toISOString()),
    );
    const changed = buildNodeStateStatus({ ...well, ipamError: "no" }, same, later).conditions;
    assert.equal(changed.find(({ type }) => type === "IPAMReady")?.lastTransitionTime, later.toISOString());
  });
});

describe("NodeState's schema", () => {
  /** Facts that the schema does not have; the API server would drop them. */
  const missing: readonly Exclude<keyof Facts, keyof FactsStatus>[] = [];

  it("has every field that an agent publishes", () => {
    assert.deepEqual(missing satisfies readonly never[], []);
    const complete = {
      ...facts,
      overlayMtu: 1450,
      notices: ["No kube-proxy."],
      viaNode: [{ destination: parseCidr("10.9.0.1/32"), reason: "Service a/b" }],
      refusedNetworks: [{ network: parseCidr("10.7.0.0/16"), source: "x", reason: "y" }],
    };
    nodeStateStatusSchema.parse(buildNodeStateStatus({ ...well, facts: complete }, [], NOW));
    nodeStateStatusSchema.parse(buildNodeStateStatus({ ...well, facts: undefined }, [], NOW));
  });
});

describe("the publisher of a NodeState", () => {
  const status = buildNodeStateStatus(well, [], NOW);
  const create = (): { readonly publisher: NodeStatePublisher; readonly requests: unknown[] } => {
    const requests: unknown[] = [];
    let isThere = false;
    const kube = {
      mergePatch: (_: unknown, name: string, body: object, subresource?: string) => {
        requests.push([name, Object.keys(body).join(), subresource]);
        return isThere ? Promise.resolve({}) : Promise.reject(new KubeError(404, "not found"));
      },
      create: () => {
        isThere = true;
        requests.push("create");
        return Promise.resolve({});
      },
    };
    return { publisher: new NodeStatePublisher(kube as unknown as KubeClient, "n1"), requests };
  };
  const statusPatch = ["n1", "status", "status"];
  const ownerPatch = ["n1", "metadata", undefined];

  it("creates the object, and makes its Node the owner once the Node is known", async () => {
    const { publisher, requests } = create();
    await publisher.publish(status, undefined);
    assert.deepEqual(requests.splice(0), [statusPatch, "create", statusPatch]);
    await publisher.publish(status, "uid-1");
    assert.deepEqual(requests.splice(0), [statusPatch, ownerPatch]);
    await publisher.publish(status, "uid-1");
    assert.deepEqual(requests, [], "nothing has changed");
  });

  it("makes a Node that registered again the owner, so that the object is not deleted with the former one", async () => {
    const { publisher, requests } = create();
    await publisher.publish(status, "uid-1");
    requests.length = 0;
    await publisher.publish(status, "uid-2");
    assert.deepEqual(requests, [statusPatch, ownerPatch]);
  });
});
