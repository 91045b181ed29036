import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { logCall } from "./call-log.ts";
import { useDirectory } from "../testing/use-directory.ts";

describe("the log of calls", () => {
  const directory = useDirectory();

  it("should write one JSON line per call, readable by root only", () => {
    const file = join(directory, "log", "cni.log");
    logCall({ command: "ADD" }, file);
    logCall({ command: "DEL" }, file);
    const lines = readFileSync(file, "utf8").trim().split("\n");
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { command: string }).command),
      ["ADD", "DEL"],
    );
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it("starts a new log file when the current one is full, and keeps the previous file", () => {
    const file = join(directory, "cni.log");
    writeFileSync(file, "x".repeat(11 * 1024 * 1024));
    logCall({ command: "ADD" }, file);
    assert.ok(statSync(file).size < 200, "the full log was not put aside");
    assert.equal(statSync(`${file}.1`).size, 11 * 1024 * 1024);
  });

  it("should ignore a log that cannot be written", () => {
    const file = join(directory, "a file, not a directory");
    writeFileSync(file, "");
    logCall({ command: "ADD" }, join(file, "cni.log"));
  });
});
