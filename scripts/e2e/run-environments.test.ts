import assert from "node:assert/strict";
import { findEnvironment } from "../../clusters/environments/registry.ts";
import { createCell, createReport } from "../../results/report-fixtures.ts";
import { describeRun, findSkipReason, mergeRuns } from "./run-environments.ts";

describe("a run of several environments", () => {
  const [first, second, third, fourth] = ["default", "nftables", "wireguard", "mtu-9000"].map(findEnvironment);
  assert.ok(first && second && third && fourth);
  const report = { ...createReport([createCell(), createCell({ actual: "fail", ok: false })]), checks: [] };
  const runs = [
    { environment: first, seconds: 9, report: { ...report, summary: { passed: 1, failed: 1, skipped: 0 } } },
    { environment: second, seconds: 5, error: "e2e ended with 1: no bridge" },
    { environment: third, seconds: 0, skipped: "this kernel cannot make wireguard links" },
  ];

  it("becomes one report in which every environment counts", () => {
    const { checks, summary, variants } = mergeRuns(runs, [first, second, third, fourth]);
    assert.equal(variants.length, 1);
    assert.deepEqual(summary, { passed: 1, failed: 3, skipped: 1 });
    assert.deepEqual(
      checks.map(({ name, status, error }) => `${name}: ${status}: ${error ?? ""}`),
      [
        "environment nftables: failed: e2e ended with 1: no bridge",
        "environment wireguard: skipped: this kernel cannot make wireguard links",
        "environment mtu-9000: failed: it did not run: the run ended early",
      ],
    );
  });

  it("fails for an environment in which no cell was asked", () => {
    const empty = { ...report, variants: [], summary: { passed: 0, failed: 0, skipped: 0 } };
    const { summary } = mergeRuns([{ environment: first, seconds: 1, report: empty }], [first]);
    assert.deepEqual(summary, { passed: 0, failed: 1, skipped: 0 });
  });

  it("prefixes the name of a check with its environment", () => {
    const checks = [{ name: "routes", status: "passed", seconds: 1 }] as const;
    const merged = mergeRuns([{ environment: first, seconds: 1, report: { ...report, checks: [...checks] } }], [first]);
    assert.deepEqual(
      merged.checks.map(({ name }) => name),
      ["default: routes"],
    );
  });

  it("says of each in a line how it ended", () => {
    assert.deepEqual(runs.map(describeRun), [
      "default: 1 cells passed, 0 blocked as expected, 1 failed, 1 cells and checks NOT as expected, 9 s",
      "nftables: FAILED without results, e2e ended with 1: no bridge",
      "wireguard: skipped, this kernel cannot make wireguard links",
    ]);
  });

  it("skips an environment that the provider cannot make", async () => {
    assert.match((await findSkipReason(fourth, "kind")) ?? "", /^the provider kind cannot make it: use lab$/);
    assert.equal(await findSkipReason(first, "kind"), undefined);
  });
});
