import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createControlClient, serveControl } from "./control.ts";

describe("a lab's control socket", () => {
  it("executes requests of root alone, and returns the daemon's error", async () => {
    const directory = await mkdtemp(join(tmpdir(), "interlay-control-"));
    const socket = join(directory, "control.sock");
    const calls: string[] = [];
    const server = await serveControl(socket, {
      powerOff: (node) => Promise.resolve(void calls.push(`powerOff ${node}`)),
      recreate: (node) => Promise.reject(new Error(`cannot recreate ${node}: it was not powered off`)),
      pauseKubelet: (node, milliseconds) => Promise.resolve(void calls.push(`pause ${node} ${milliseconds}`)),
    });
    try {
      assert.equal((await stat(socket)).mode & 0o777, 0o600);
      const client = createControlClient(socket);
      await client.powerOff("a");
      await client.pauseKubelet("b", 5);
      assert.deepEqual(calls, ["powerOff a", "pause b 5"]);
      await assert.rejects(client.recreate("c"), /recreate c: Error: cannot recreate c: it was not powered off/);
    } finally {
      server.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
