import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const BUN = join(dirname(createRequire(import.meta.url).resolve("bun/package.json")), "bin", "bun.exe");
const PROGRAM = join(import.meta.dirname, "..", "testing", "netlink-failures.ts");

describe("netlink", () => {
  const run = (scenario: string) =>
    spawnSync(BUN, [PROGRAM, scenario], { encoding: "utf8", timeout: 30_000, env: { PATH: process.env["PATH"] } });

  it("ends a call whose answer is lost with an error", () => {
    const { stdout, stderr, status } = run("lost-answer");
    assert.match(stdout, /^NetlinkError: a lost answer: (EAGAIN|EWOULDBLOCK) \(no answer in 5 s\)$/m, stderr);
    assert.equal(status, 0);
  });

  it("ends the process if it cannot return to its own network namespace", () => {
    const { stdout, stderr, status } = run("lost-namespace");
    assert.match(stderr, /setns back to the process's own namespace: EBADF; the process ends/);
    assert.equal(stdout, "", "nothing runs afterwards");
    assert.equal(status, 1);
  });
});
