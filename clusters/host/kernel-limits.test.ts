import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { raiseLimits } from "./kernel-limits.ts";
import { useDirectory } from "../../plugin/testing/use-directory.ts";

describe("raiseLimits", () => {
  const root = useDirectory("suite");

  it("raises parameters that are too low with a note, and leaves others unchanged", async () => {
    const directory = join(root, "fs", "inotify");
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "low"), "128\n");
    writeFileSync(join(directory, "high"), "9000\n");
    const notes: string[] = [];
    const limits = { prefix: "fs.inotify", minimums: { low: 1024, high: 1024, absent: 1 }, reason: "many share it" };
    await raiseLimits(limits, { note: (text) => void notes.push(text) }, root);
    assert.equal(readFileSync(join(directory, "low"), "utf8"), "1024");
    assert.equal(readFileSync(join(directory, "high"), "utf8"), "9000\n");
    assert.deepEqual(notes, ["fs.inotify.low raised from 128 to 1024: many share it"]);
  });
});
