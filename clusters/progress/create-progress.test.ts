import assert from "node:assert/strict";
import { createProgress, wantsColors } from "./create-progress.ts";

describe("createProgress", () => {
  const write = (env: NodeJS.ProcessEnv, isTTY: boolean): string => {
    const writes: string[] = [];
    const stream = { isTTY, columns: 80, write: (text: string) => writes.push(text) } as unknown as NodeJS.WriteStream;
    const step = createProgress(stream, env).step("one");
    step.done();
    return writes.join("");
  };

  it("moves the cursor only on a terminal", () => {
    assert.match(write({}, true), /\x1b\[1F/);
    for (const [env, isTTY] of [
      [{ CI: "true" }, true],
      [{ TERM: "dumb" }, true],
      [{}, false],
    ] as const)
      assert.doesNotMatch(write(env, isTTY), /\x1b/, JSON.stringify(env));
  });

  it("prints nothing with INTERLAY_PROGRESS=none", () => {
    assert.equal(write({ INTERLAY_PROGRESS: "none" }, true), "");
  });

  it("prints colours on a terminal unless NO_COLOR is set, and always with FORCE_COLOR", () => {
    assert.match(write({}, true), /\x1b\[32m/);
    assert.doesNotMatch(write({ NO_COLOR: "1" }, true), /\x1b\[\d*m/);
    assert.match(write({ NO_COLOR: "1", FORCE_COLOR: "1" }, true), /\x1b\[32m/);
  });
});

describe("wantsColors", () => {
  const table: readonly (readonly [NodeJS.ProcessEnv, boolean])[] = [
    [{}, true],
    [{ NO_COLOR: "" }, true],
    [{ NO_COLOR: "0" }, false],
    [{ FORCE_COLOR: "0" }, false],
    [{ FORCE_COLOR: "3", NO_COLOR: "1" }, true],
  ];
  for (const [env, expected] of table)
    it(`is ${expected} for ${JSON.stringify(env)}`, () => {
      assert.equal(wantsColors(env), expected);
    });
});
