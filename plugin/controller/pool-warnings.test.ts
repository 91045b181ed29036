import assert from "node:assert/strict";
import { listPoolWarnings } from "./pool-warnings.ts";

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

describe("warnings about pools", () => {
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
});
