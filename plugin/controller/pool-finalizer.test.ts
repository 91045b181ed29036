import assert from "node:assert/strict";
import { underlayPool } from "../kubernetes/objects.ts";
import { planFinalizers } from "./pool-finalizer.ts";

const OURS = "interlay.dev/addresses-in-use";

describe("planFinalizers", () => {
  const plan = (finalizers: readonly string[], used: number, deletionTimestamp?: string) =>
    planFinalizers(
      underlayPool.parse({
        metadata: {
          name: "p",
          uid: "p",
          finalizers,
          ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
        },
        spec: { subnet: "10.7.0.0/16", ranges: ["10.7.1.0/24"] },
      }),
      { used, draining: 0 },
    );
  const deleted = "2026-01-01T00:00:00Z";
  for (const [title, finalizers, used, deletion, expected] of [
    ["adds the finalizer to a pool in use", ["other"], 1, undefined, ["other", OURS]],
    ["changes nothing while the pool is in use", [OURS], 1, undefined, undefined],
    ["removes the finalizer from a pool out of use", ["other", OURS], 0, undefined, ["other"]],
    ["keeps the finalizer of a deleted pool in use", [OURS], 1, deleted, undefined],
    ["removes the finalizer of a deleted pool after its last address", [OURS], 0, deleted, []],
    ["adds no finalizer to a deleted pool", [], 1, deleted, undefined],
  ] as const)
    it(title, () => {
      assert.deepEqual(plan(finalizers, used, deletion), expected);
    });
});
