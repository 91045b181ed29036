import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { raiseLimits } from "./kernel-limits.ts";

describe("limits of the kernel", () => {
  const root = mkdtempSync(join(tmpdir(), "interlay-limits-"));
  after(() => {
    rmSync(root, { recursive: true });
  });

  it("are raised where they are too low, and told; others stay", async () => {
    const directory = join(root, "fs", "inotify");
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "low"), "128\n");
    writeFileSync(join(directory, "high"), "9000\n");
    const told: string[] = [];
    const limits = { prefix: "fs.inotify", atLeast: { low: 1024, high: 1024, absent: 1 }, because: "many share it" };
    await raiseLimits(limits, { note: (text) => void told.push(text) }, root);
    assert.equal(readFileSync(join(directory, "low"), "utf8"), "1024");
    assert.equal(readFileSync(join(directory, "high"), "utf8"), "9000\n");
    assert.deepEqual(told, ["fs.inotify.low raised from 128 to 1024: many share it"]);
  });
});
