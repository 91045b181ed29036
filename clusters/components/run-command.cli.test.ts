import assert from "node:assert/strict";
import { runCommand } from "./run-command.ts";

describe("runCommand", () => {
  it("sends SIGTERM when its signal is aborted, and returns what the program leaves", async () => {
    const controller = new AbortController();
    const script = "trap 'echo ended; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    const result = await runCommand(["sh", "-c", script], {
      signal: controller.signal,
      onLine: () => {
        controller.abort();
      },
    });
    assert.deepEqual(result, { exitCode: 3, stdout: "ready\nended\n", stderr: "" });
  });

  it("ends a program whose signal was aborted before", async () => {
    const { exitCode } = await runCommand(["sleep", "60"], { signal: AbortSignal.abort() });
    assert.equal(exitCode, 128);
  });
});
