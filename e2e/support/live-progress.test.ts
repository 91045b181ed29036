import assert from "node:assert/strict";
import { LiveProgress } from "./live-progress.ts";

function recorded(isTTY: boolean, env: NodeJS.ProcessEnv = {}) {
  let time = 0;
  let text = "";
  const write = (more: string | Uint8Array) => {
    text += String(more);
    return true;
  };
  const live = new LiveProgress(3, { isTTY, write }, env, () => time);
  return { live, wait: (ms: number) => (time += ms), text: () => text };
}

describe("live output", () => {
  it("estimates the remaining time after the first variant", () => {
    const { live, wait, text } = recorded(false);
    live.startVariant("first");
    wait(4000);
    live.endVariant();
    live.startVariant("second");
    wait(6000);
    live.endVariant();
    live.startVariant("third");
    assert.deepEqual(text().trimEnd().split("\n"), [
      "      · variant 1 of 3: first",
      "      · variant 2 of 3: second; about 8.0 s left",
      "      · variant 3 of 3: third; about 5.0 s left",
    ]);
  });

  it("counts cells on a terminal alone: not in pipes, not in CI", () => {
    for (const [isTTY, env, counts] of [
      [true, {}, true],
      [true, { CI: "true" }, false],
      [false, {}, false],
    ] as const) {
      const { live, text } = recorded(isTTY, env);
      live.showCells(5, 9);
      live.showCells(9, 9);
      assert.equal(text(), counts ? "\r        5 of 9 cells\r\u001b[K" : "");
    }
  });
});
