import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "./lock.ts";

describe("withLock", () => {
  let file: string;
  beforeEach(async () => {
    file = join(await mkdtemp(join(tmpdir(), "interlay-lock-")), "below", "a.lock");
  });
  afterEach(() => rm(join(file, "..", ".."), { recursive: true }));
  const never = () => {
    assert.fail("nobody else has the lock");
  };

  it("runs one holder at a time, and reports the owner to those that wait", async () => {
    const events: string[] = [];
    const work = (name: string) => async () => {
      events.push(`${name} begins`);
      await sleep(500);
      events.push(`${name} ends`);
    };
    const owners: number[] = [];
    const first = withLock(file, never, work("one"));
    await sleep(100);
    const second = withLock(file, (owner) => owners.push(owner), work("two"));
    await Promise.all([first, second]);
    assert.deepEqual(events, ["one begins", "one ends", "two begins", "two ends"]);
    assert.deepEqual(owners, [process.pid]);
  });

  it("releases the lock after work that fails", async () => {
    await assert.rejects(
      withLock(file, never, () => Promise.reject(new Error("no"))),
      /^Error: no$/,
    );
    assert.equal(await withLock(file, never, () => Promise.resolve(1)), 1);
  });

  it("takes over the lock of a killed owner", async () => {
    await withLock(file, never, () => Promise.resolve());
    const other = spawn("flock", ["--exclusive", "--no-fork", file, "cat"], { stdio: ["pipe", "pipe", "ignore"] });
    other.stdin.write("\n");
    await once(other.stdout, "data");
    const ours = withLock(
      file,
      () => undefined,
      () => Promise.resolve("ours"),
    );
    other.kill("SIGKILL");
    assert.equal(await ours, "ours");
  });
});
