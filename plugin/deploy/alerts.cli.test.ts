import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

const RULES = readFileSync(join(import.meta.dirname, "chart", "rules", "interlay.yaml"), "utf8");
const TESTS = readFileSync(join(import.meta.dirname, "alerts.tests.yaml"), "utf8");
/** The default of the chart's value metrics.prometheusRule.poolFreePercent. */
const POOL_FREE_PERCENT = "10";

const runPromtool = (...argv: readonly string[]) => spawnSync("promtool", argv, { encoding: "utf8" });

/** Debian's package `prometheus` has promtool. */
const NO_PROMTOOL = runPromtool("--version").error === undefined ? undefined : "promtool is not installed";

describe("alerts", () => {
  const directory = mkdtempSync(join(tmpdir(), "interlay-alerts-"));
  after(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it("alerts have a test each", () => {
    const { groups } = parse(RULES) as { groups: { rules: { alert: string }[] }[] };
    const { tests } = parse(TESTS) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const raised = tests.flatMap(({ alert_rule_test: all }) =>
      all.filter(({ exp_alerts: expected }) => expected.length > 0).map(({ alertname }) => alertname),
    );
    const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    assert.deepEqual(
      alerts.filter((alert) => !raised.includes(alert)),
      [],
    );
  });

  it("alerts are raised by the series of each fault, and not by those of a healthy node (promtool)", function () {
    if (NO_PROMTOOL !== undefined) {
      process.stdout.write(`      · skipped: ${NO_PROMTOOL} (Debian package prometheus)\n`);
      this.skip();
    }
    writeFileSync(join(directory, "rules.yaml"), RULES.replaceAll("POOL_FREE_PERCENT", POOL_FREE_PERCENT));
    writeFileSync(join(directory, "tests.yaml"), TESTS.replace("RULES", "rules.yaml"));
    const checked = runPromtool("check", "rules", join(directory, "rules.yaml"));
    assert.equal(checked.status, 0, checked.stderr + checked.stdout);
    const tested = runPromtool("test", "rules", join(directory, "tests.yaml"));
    assert.equal(tested.status, 0, tested.stderr + tested.stdout);
  });
});
