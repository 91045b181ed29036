import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { listenWhenFree } from "./listen.ts";

const HOST = "127.0.0.1";

async function occupyPort(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  return { server, port: address.port };
}

describe("a server whose port is busy", () => {
  it("is reported, holds up nothing, and listens once the port is free", async () => {
    const { server: other, port } = await occupyPort();
    const lines: string[] = [];
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (text: string | Uint8Array) => {
      lines.push(String(text));
      return true;
    };
    const server = createServer();
    try {
      await listenWhenFree(server, { port, host: HOST, reportAfterMs: 30 });
    } finally {
      process.stdout.write = write;
    }
    const isListening = () => server.listening;
    assert.equal(isListening(), false);
    assert.match(lines.join(""), new RegExp(`a port is busy.*"port":${port}`));
    other.close();
    for (let attempt = 0; attempt < 50 && !isListening(); attempt++) await sleep(20);
    assert.ok(isListening());
    server.close();
  });

  it("waits for the previous agent that is about to end", async () => {
    const { server: other, port } = await occupyPort();
    const server = createServer();
    const listening = listenWhenFree(server, { port, host: HOST });
    other.close();
    assert.equal((await listening).listening, true);
    server.close();
  });
});
