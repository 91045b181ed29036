import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { controlOf, serveControl } from "./control.ts";

describe("a lab's control socket", () => {
  it("carries orders out for root alone, and brings back what went wrong", async () => {
    const directory = await mkdtemp(join(tmpdir(), "interlay-control-"));
    const socket = join(directory, "control.sock");
    const did: string[] = [];
    const server = await serveControl(socket, {
      drop: (node) => Promise.resolve(void did.push(`drop ${node}`)),
      make: (node) => Promise.reject(new Error(`${node} is no node that was dropped.`)),
      pauseKubelet: (node, milliseconds) => Promise.resolve(void did.push(`pause ${node} ${milliseconds}`)),
    });
    try {
      assert.equal((await stat(socket)).mode & 0o777, 0o600);
      const control = controlOf(socket);
      await control.drop("a");
      await control.pauseKubelet("b", 5);
      assert.deepEqual(did, ["drop a", "pause b 5"]);
      await assert.rejects(control.make("c"), /make c: Error: c is no node that was dropped\./);
    } finally {
      server.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
