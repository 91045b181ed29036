import assert from "node:assert/strict";
import type { CheckResult, Report } from "../../results/schema.ts";
import { assessRuns } from "./assess.ts";
import { auditReport } from "./audit.ts";
import { createHealthyReport } from "./example.ts";
import { mergePeers } from "./merge-peers.ts";

const report = createHealthyReport(2, 1);
const spec = (podType: string, status: CheckResult["status"] = "passed"): CheckResult => ({
  name: `sig-network / ${podType} / Services should serve a basic endpoint`,
  status,
  seconds: 1,
});
const createPeers = (checks: readonly CheckResult[]): Report => ({
  ...report,
  id: "peers-1",
  variants: [],
  checks: [...checks],
});
const ALL = ["overlay", "underlay", "multi-nic"].map((podType) => spec(podType));
const judge = (checks: readonly CheckResult[]) => {
  const runs = [mergePeers(report, createPeers(checks)), createHealthyReport(2, 2)];
  const { profiles } = assessRuns(runs, 2, ["base", "sig-network"]);
  const result = (name: string) => profiles.find((profile) => profile.name === name);
  return { base: result("base")?.result, sigNetwork: result("sig-network") };
};

describe("a certificate with the specs of another suite", () => {
  it("has them in a report that is consistent", () => {
    const merged = mergePeers(report, createPeers(ALL));
    assert.equal(merged.checks.length, report.checks.length + 3);
    assert.deepEqual(auditReport(merged, 2), []);
  });

  it("passes profile sig-network if specs passed with every pod type", () => {
    const { base, sigNetwork } = judge([...ALL, spec("underlay", "skipped")]);
    assert.equal(base, "pass");
    assert.deepEqual(
      [sigNetwork?.result, sigNetwork?.reason],
      ["pass", "3 specs passed and 1 skipped, with every pod as overlay, underlay and multi-nic pod"],
    );
  });

  it("fails profile sig-network, and not base, for one failed spec", () => {
    const { base, sigNetwork } = judge([...ALL, { ...spec("underlay", "failed"), error: "timed out" }]);
    assert.equal(base, "pass");
    assert.equal(sigNetwork?.result, "fail");
    assert.match(sigNetwork.reason, /sig-network \/ underlay \/ .*: timed out/);
  });

  it("does not pass without specs for a pod type", () => {
    const { sigNetwork } = judge(ALL.slice(1));
    assert.equal(sigNetwork?.result, "not-run");
    assert.match(sigNetwork.reason, /overlay/);
  });

  it("does not pass base if the run of the specs failed in itself", () => {
    assert.equal(judge([...ALL, { name: "run: interrupt", status: "failed", seconds: 0 }]).base, "fail");
  });

  it("rejects a run of another cluster, and a run without specs", () => {
    const other = { ...createPeers(ALL), versions: { ...report.versions, kubernetes: "v1.34.1" } };
    assert.throws(() => mergePeers(report, other), /different clusters: kubernetes differs/);
    assert.throws(() => mergePeers(report, createPeers([])), /contains no spec of another suite/);
  });
});
