import assert from "node:assert/strict";
import { POD_TYPES } from "../../results/schema.ts";
import { findKnownSkips, KNOWN_SKIPS } from "./known-skips.ts";
import { formatPeerTable } from "./format-table.ts";
import { listEmptyRuns, type PeerRun, toChecks } from "./spec-result.ts";

const RUN: PeerRun = {
  suite: "sig-network",
  podType: "underlay",
  seconds: 12,
  specs: [
    { name: "a", status: "passed", seconds: 1 },
    { name: "b", status: "skipped", seconds: 0, error: "no image" },
    { name: "c", status: "failed", seconds: 2, error: "\nno answer\nat line 7" },
  ],
};

describe("results of peer suites", () => {
  it("become checks whose names have suite, pod type and spec", () => {
    assert.deepEqual(toChecks(RUN)[1], {
      name: "sig-network / underlay / b",
      status: "skipped",
      seconds: 0,
      error: "no image",
    });
  });

  it("results of peer suites name the pod types without a spec that ran", () => {
    const skipped: PeerRun = { ...RUN, podType: "overlay", specs: RUN.specs.slice(1, 2) };
    assert.deepEqual(listEmptyRuns([RUN, skipped], ["underlay", "overlay", "multi-nic"]), ["overlay", "multi-nic"]);
  });

  it("results of peer suites are shown as a table with the reason of each spec that did not pass", () => {
    const table = formatPeerTable([RUN]);
    assert.match(table, /sig-network\D+underlay\D+1\D+1\D+1\D+12/);
    assert.match(table, /^skipped: underlay, b: no image$/m);
    assert.match(table, /^failed: underlay, c: no answer$/m);
  });
});

describe("known skips", () => {
  it("known skips are found by suite and pod type", () => {
    const entry = { suite: "sig-network", podTypes: ["underlay"], spec: "x", reason: "y" } as const;
    assert.ok(findKnownSkips("sig-network", "underlay", [entry]).includes(entry));
    assert.ok(!findKnownSkips("sig-network", "overlay", [entry]).includes(entry));
    assert.deepEqual(findKnownSkips("cyclonus", "underlay", [entry]), []);
  });

  it("known skips include disruptive specs also when a run asks for those that are known to fail", () => {
    for (const podType of POD_TYPES)
      assert.ok(findKnownSkips("sig-network", podType, []).some(({ spec }) => spec === "[Disruptive]"));
  });

  it("known skips have a reason each", () => {
    assert.ok(KNOWN_SKIPS.every(({ spec, reason, podTypes }) => spec !== "" && reason !== "" && podTypes.length > 0));
  });
});
