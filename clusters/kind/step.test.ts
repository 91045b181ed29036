import assert from "node:assert/strict";
import { createPlainProgress } from "../progress-plain.ts";
import { type Bringup, doSteps, type Step, undoSteps } from "./step.ts";

function recorder() {
  const calls: string[] = [];
  const step = (name: string, options: { readonly done?: boolean; readonly stuck?: boolean } = {}): Step => ({
    title: () => name,
    isDone: () => Promise.resolve(options.done ?? false),
    do: () => {
      calls.push(`do ${name}`);
      return Promise.resolve();
    },
    undo: () => {
      calls.push(`undo ${name}`);
      return options.stuck === true ? Promise.reject(new Error(`${name} is stuck`)) : Promise.resolve();
    },
  });
  return { calls, step };
}

const bringup = { progress: createPlainProgress(() => undefined) } as unknown as Bringup;

describe("steps", () => {
  it("are done in order, but for those that an earlier run has done", async () => {
    const { calls, step } = recorder();
    await doSteps([step("network", { done: true }), step("nodes"), step("addons")], bringup);
    assert.deepEqual(calls, ["do nodes", "do addons"]);
  });

  it("are undone in reverse, also after one that fails", async () => {
    const { calls, step } = recorder();
    const steps = [step("network"), step("nodes", { stuck: true }), step("addons")];
    await assert.rejects(undoSteps(steps, {} as never, "one"), /nodes is stuck/);
    assert.deepEqual(calls, ["undo addons", "undo nodes", "undo network"]);
  });
});
