import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { applyObject } from "./server-side-apply.ts";

const OBJECT = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
const RESOURCES = { resources: [{ name: "configmaps", kind: "ConfigMap", namespaced: true }] };
/** Time that the API server takes for a write. */
const WRITE_MS = 1000;

describe("server-side apply", () => {
  const config = new KubeConfig();
  let server: Server;

  before(async () => {
    server = createServer((request, response) => {
      request.resume();
      const answer = (): void => {
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(RESOURCES));
      };
      if (request.method === "PATCH") setTimeout(answer, WRITE_MS);
      else answer();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = z.object({ port: z.number() }).parse(server.address());
    config.loadFromClusterAndUser(
      { name: "fake", server: `http://127.0.0.1:${port}`, skipTLSVerify: true },
      { name: "user" },
    );
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  it("waits for a slow write until the deadline", async () => {
    await applyObject(config, OBJECT, Date.now() + 30 * WRITE_MS);
  });

  it("ends at the deadline, and says that no answer came in time", async () => {
    await assert.rejects(applyObject(config, OBJECT, Date.now() + WRITE_MS / 2), /no answer came in time/);
  });
});
