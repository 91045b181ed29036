import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Server } from "node:net";
import { probeHttp } from "./http.ts";

/** Runs a function with the port of a server. */
async function withServer<T>(server: Server, use: (port: number) => Promise<T>): Promise<T> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const address = server.address();
    return await use(typeof address === "object" && address !== null ? address.port : 0);
  } finally {
    server.close();
  }
}

describe("probeHttp", () => {
  it("accepts a response of any status", async () => {
    const server = createHttpServer((_, response) => response.writeHead(503).end("busy"));
    const answer = await withServer(server, (port) => probeHttp(`http://127.0.0.1:${port}/`, 2000));
    assert.deepEqual(answer, { ok: true });
  });

  it("reports a server that accepts the connection and sends nothing", async () => {
    const silent = createServer((socket) => socket.resume());
    const answer = await withServer(silent, (port) => probeHttp(`http://127.0.0.1:${port}/`, 100));
    assert.deepEqual(answer, { ok: false, error: "no response in 100 ms" });
  });

  it("reports a server that does not speak HTTP", async () => {
    const other = createServer((socket) => socket.end("220 mail\r\n"));
    const answer = await withServer(other, (port) => probeHttp(`http://127.0.0.1:${port}/`, 2000));
    assert.equal(answer.ok, false);
  });

  it("reports a port without a server", async () => {
    const port = await withServer(createServer(), (free) => Promise.resolve(free));
    assert.match((await probeHttp(`http://127.0.0.1:${port}/`, 2000)).error ?? "", /ECONNREFUSED/);
  });
});
