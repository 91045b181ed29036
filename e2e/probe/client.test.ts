import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { createServer, type Server } from "node:net";
import { sendProbe } from "./client.ts";
import { probeRequest } from "./protocol.ts";

const ask = (request: Parameters<typeof probeRequest.parse>[0]) => sendProbe(probeRequest.parse(request));

/** Asks a server over UDP that calls `onRequest` for each datagram. */
async function askUdp(timeoutMs: number, onRequest: (reply: () => void, received: number) => unknown) {
  const udp = createSocket("udp4");
  let received = 0;
  udp.on("message", (_, from) => {
    received += 1;
    onRequest(() => {
      udp.send('{"server":"u","seen":"x"}', from.port, from.address);
    }, received);
  });
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  try {
    return await ask({ id: 1, protocol: "udp", address: "127.0.0.1", port: udp.address().port, timeoutMs });
  } finally {
    udp.close();
  }
}

describe("the probe", () => {
  let tcp: Server;
  let port = 0;

  before(async () => {
    tcp = createServer((socket) => socket.once("data", () => socket.end('{"server":"a","seen":"127.0.0.1"}\n')));
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    const address = tcp.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });

  after(() => tcp.close());

  it("reports the server that answered over TCP", async () => {
    const { local, latencyMs, ...answer } = await ask({
      id: 1,
      protocol: "tcp",
      address: "127.0.0.1",
      port,
      timeoutMs: 2000,
    });
    assert.deepEqual(answer, { ok: true, server: "a", seen: "127.0.0.1" });
    assert.match(local ?? "", /^127\.0\.0\.1:\d+$/);
    assert.ok(latencyMs !== undefined && latencyMs > 0);
  });

  it("reports the server that answered over UDP", async () => {
    const { latencyMs, ...answer } = await askUdp(2000, (reply) => {
      reply();
    });
    assert.ok(latencyMs !== undefined && latencyMs < 2000);
    assert.deepEqual(answer, { ok: true, server: "u", seen: "x", resent: 0 });
  });

  it("does not count a datagram that it sent again if both are answered late", async () => {
    const answer = await askUdp(600, (reply) => setTimeout(reply, 300));
    assert.equal(answer.resent, 0);
  });

  it("counts a datagram that it sent again, and not the wait for its answer as latency", async () => {
    const {
      ok,
      resent,
      latencyMs = Infinity,
    } = await askUdp(600, (reply, received) => {
      if (received === 2) reply();
    });
    assert.deepEqual({ ok, resent }, { ok: true, resent: 1 });
    assert.ok(latencyMs >= 150 && latencyMs < 900, `${latencyMs} ms`);
  });

  it("reports the error without a server", async () => {
    const answer = await ask({ id: 1, protocol: "tcp", address: "127.0.0.1", port: 1, timeoutMs: 2000 });
    assert.equal(answer.ok, false);
    assert.match(answer.error ?? "", /ECONNREFUSED/);
    assert.equal(answer.local, undefined);
  });

  it("does not take another server's words for a probe's", async () => {
    const other = createServer((socket) => socket.once("data", () => socket.end("HTTP/1.1 400\r\n")));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const otherPort = typeof address === "object" && address !== null ? address.port : 0;
    const answer = await ask({ id: 1, protocol: "tcp", address: "127.0.0.1", port: otherPort, timeoutMs: 2000 });
    other.close();
    assert.equal(answer.ok, false);
    assert.match(answer.error ?? "", /invalid answer/);
  });
});
