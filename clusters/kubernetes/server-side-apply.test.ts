import assert from "node:assert/strict";
import { startTestApiServer, type TestApiServer } from "../../plugin/testing/test-api-server.ts";
import { applyObject } from "./server-side-apply.ts";

const OBJECT = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
const RESOURCES = { resources: [{ name: "configmaps", kind: "ConfigMap", namespaced: true }] };
/** Time that the API server takes for a write. */
const WRITE_MS = 1000;

describe("server-side apply", () => {
  let api: TestApiServer;

  before(async () => {
    api = await startTestApiServer((request, response) => {
      request.resume();
      const answer = (): void => {
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(RESOURCES));
      };
      if (request.method === "PATCH") setTimeout(answer, WRITE_MS);
      else answer();
    });
  });
  after(() => {
    api.stop();
  });

  it("waits for a slow write until the deadline", async () => {
    await applyObject(api.config, OBJECT, Date.now() + 30 * WRITE_MS);
  });

  it("ends at the deadline, and says that no answer came in time", async () => {
    await assert.rejects(applyObject(api.config, OBJECT, Date.now() + WRITE_MS / 2), /no answer came in time/);
  });
});
