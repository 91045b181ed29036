import assert from "node:assert/strict";
import { serveHealth } from "./health-server.ts";

const HOST = "127.0.0.1";

async function askHealth(options: Partial<Parameters<typeof serveHealth>[0]>, path: string) {
  const defaults = { port: 0, host: HOST, listStalls: () => [], listProblems: () => [] };
  const server = await serveHealth({ ...defaults, ...options });
  try {
    const address = server.address();
    assert.ok(address !== null && typeof address === "object");
    const response = await fetch(`http://${HOST}:${address.port}${path}`);
    return { status: response.status, text: await response.text() };
  } finally {
    server.close();
  }
}

describe("the answers to kubelet's probes", () => {
  it("fail the liveness probe while a loop does not progress, and name the loop", async () => {
    const stalled = { listStalls: () => ["repair: one pass has run for 180 s"] };
    assert.deepEqual(await askHealth(stalled, "/healthz"), {
      status: 503,
      text: "stalled\nrepair: one pass has run for 180 s\n",
    });
    assert.deepEqual(await askHealth(stalled, "/readyz"), { status: 200, text: "ok\n" });
  });

  it("fail the readiness probe with the reasons", async () => {
    const problems = { listProblems: () => ["no uplink"] };
    assert.deepEqual(await askHealth(problems, "/readyz"), { status: 503, text: "not ready\nno uplink\n" });
    assert.equal((await askHealth(problems, "/healthz")).status, 200);
  });

  it("contain metrics only where they are asked for", async () => {
    assert.equal((await askHealth({}, "/metrics")).status, 404);
    const rendered = { renderText: () => Promise.resolve("interlay_x 1\n") };
    assert.deepEqual(await askHealth(rendered, "/metrics"), { status: 200, text: "interlay_x 1\n" });
  });
});
