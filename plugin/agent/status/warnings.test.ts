import assert from "node:assert/strict";
import { listNodeWarnings, listPoolWarnings, WarningReporter } from "./warnings.ts";

const NOW = new Date("2026-01-02T03:04:05Z");
const CLOSED = { type: "GateOpen", status: "False", reason: "Closed", message: "A rule drops packets." } as const;
const READY = { type: "Ready", status: "True", reason: "Giving", message: "" } as const;
const SUMMARY = {
  total: 4,
  used: 1,
  free: 3,
  conflicts: 0,
  reserved: 0,
  draining: 0,
  occupied: [],
  reservations: [],
  conditions: [READY],
};

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

  it("names a pool that is full, that is not ready, or whose addresses other hosts use", () => {
    assert.deepEqual(listPoolWarnings(SUMMARY), []);
    assert.deepEqual(
      listPoolWarnings({ ...SUMMARY, free: 0 }).map(({ reason }) => reason),
      ["PoolFull"],
    );
    const overlap = { type: "Ready", status: "False", reason: "Overlap", message: "It overlaps." } as const;
    const conflict = { type: "Conflicts", status: "True", reason: "InUseOnTheWire", message: "Others." } as const;
    const draining = { type: "Draining", status: "True", reason: "InUseOutsideRanges", message: "" } as const;
    assert.deepEqual(listPoolWarnings({ ...SUMMARY, total: 0, free: 0, conditions: [overlap, conflict, draining] }), [
      { reason: "Overlap", message: "It overlaps." },
      { reason: "InUseOnTheWire", message: "Others." },
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
    const pool = { apiVersion: "interlay.dev/v1alpha1", kind: "UnderlayPool", name: "p", uid: "u" };
    const full = [{ reason: "PoolFull", message: "All addresses are in use." }];
    await reporter.report(pool, full);
    await reporter.report(pool, full);
    await reporter.report({ ...pool, name: "q" }, full);
    await reporter.report(pool, []);
    await reporter.report(pool, full);
    assert.deepEqual(written, ["p PoolFull", "q PoolFull", "p PoolFull"]);
  });
});
