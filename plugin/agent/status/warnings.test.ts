import assert from "node:assert/strict";
import { listNodeWarnings, WarningReporter } from "./warnings.ts";
import { GROUP_VERSION } from "../../kubernetes/objects.ts";

const NOW = new Date("2026-01-02T03:04:05Z");
const CLOSED = { type: "GateOpen", status: "False", reason: "Closed", message: "A rule drops packets." } as const;

describe("warnings about nodes and pools", () => {
  it("names a node's condition that has been False for 30 s, and no earlier", () => {
    const at = (seconds: number) => [
      { ...CLOSED, lastTransitionTime: new Date(NOW.getTime() - 1000 * seconds).toISOString() },
      { ...CLOSED, type: "FactsReady", status: "True" as const, lastTransitionTime: "2026-01-01T00:00:00.000Z" },
    ];
    assert.deepEqual(listNodeWarnings(at(29), NOW), []);
    assert.deepEqual(listNodeWarnings(at(30), NOW), [
      { reason: "GateOpenFalse", message: "Closed: A rule drops packets." },
    ]);
  });

  it("writes an Event when a warning appears, not while it lasts, and again after it had ended", async () => {
    const written: string[] = [];
    const reporter = new WarningReporter({
      warnAbout: ({ name }, reason) => {
        written.push(`${name} ${reason}`);
        return Promise.resolve();
      },
    });
    const pool = { apiVersion: GROUP_VERSION, kind: "UnderlayPool", name: "p", uid: "u" };
    const full = [{ reason: "PoolFull", message: "All addresses are in use." }];
    await reporter.report(pool, full);
    await reporter.report(pool, full);
    await reporter.report({ ...pool, name: "q" }, full);
    await reporter.report(pool, []);
    await reporter.report(pool, full);
    assert.deepEqual(written, ["p PoolFull", "q PoolFull", "p PoolFull"]);
  });
});
