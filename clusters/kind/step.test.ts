import assert from "node:assert/strict";
import { createPlainProgress } from "../progress/plain.ts";
import { type Bringup, doSteps, type Step, undoSteps } from "./step.ts";

function recorder() {
  const calls: string[] = [];
  const step = (name: string, options: { readonly done?: boolean; readonly fails?: boolean } = {}): Step => ({
    title: () => name,
    isDone: () => Promise.resolve(options.done ?? false),
    do: () => {
      calls.push(`do ${name}`);
      return Promise.resolve();
    },
    undo: () => {
      calls.push(`undo ${name}`);
      return options.fails === true ? Promise.reject(new Error(`${name} failed`)) : Promise.resolve();
    },
  });
  return { calls, step };
}

const bringup = { progress: createPlainProgress(() => undefined) } as unknown as Bringup;

describe("steps", () => {
  it("steps are done in order, except those that are done already", async () => {
    const { calls, step } = recorder();
    await doSteps([step("network", { done: true }), step("nodes"), step("addons")], bringup);
    assert.deepEqual(calls, ["do nodes", "do addons"]);
  });

  it("steps are undone in reverse order, also after a failure", async () => {
    const { calls, step } = recorder();
    const steps = [step("network"), step("nodes", { fails: true }), step("addons")];
    await assert.rejects(undoSteps(steps, {} as never, "one"), /nodes failed/);
    assert.deepEqual(calls, ["undo addons", "undo nodes", "undo network"]);
  });
});
