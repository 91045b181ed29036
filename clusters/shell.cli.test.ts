import assert from "node:assert/strict";
import { once } from "node:events";
import { $ } from "zx";
import { waitForExit } from "./shell.ts";

describe("waitForExit", () => {
  const start = (script: string) => $({ detached: true, stdio: "pipe" })`sh -c ${script}`;

  it("returns the exit status of a program, without throwing", async () => {
    assert.equal(await waitForExit(start("exit 3")), 3);
    assert.equal(await waitForExit(start("exit 0")), 0);
  });

  it("returns 127 for a program that does not exist", async () => {
    assert.equal(await waitForExit($({ stdio: "pipe" })`no-such-program-here`), 127);
  });

  it("passes arguments unchanged, with all characters", async () => {
    const argument = `a b'c"d$HOME;e|f\n*`;
    assert.equal((await $`printf %s ${argument}`).stdout, argument);
    assert.equal((await $`printf [%s] ${["", "x y"]}`).stdout, "[][x y]");
  });

  it("sends an interrupt of this process to the program once, and waits for its end", async () => {
    const program = start("trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.05; done");
    await once(program.stdout, "data");
    const status = waitForExit(program);
    process.emit("SIGINT", "SIGINT");
    assert.equal(await status, 5);
  });

  it("ends the program's whole process group when its signal is aborted", async () => {
    const stop = new AbortController();
    const program = start("sleep 60 & wait");
    setTimeout(() => {
      stop.abort();
    }, 50);
    assert.equal(await waitForExit(program, stop.signal), 143);
  });
});
