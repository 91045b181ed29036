import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { KubeClient } from "../../kubernetes/kube-client.ts";
import { startTestApiServer, type TestApiServer } from "../../testing/test-api-server.ts";
import { ClusterCache } from "./cluster-cache.ts";

describe("ClusterCache", () => {
  let api: TestApiServer;
  let cache: ClusterCache;
  let answerAddresses: () => void;

  beforeEach(async () => {
    const answer = (response: ServerResponse): void => {
      response.end(JSON.stringify({ metadata: { resourceVersion: "1" }, items: [] }));
    };
    const held: ServerResponse[] = [];
    answerAddresses = () => {
      held.splice(0).forEach(answer);
    };
    api = await startTestApiServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://server");
      if (searchParams.has("watch")) response.flushHeaders();
      else if (pathname.endsWith("/underlayaddresses")) held.push(response);
      else answer(response);
    });
    cache = new ClusterCache(new KubeClient(api.config), "n1");
    cache.start(() => undefined);
  });
  afterEach(() => {
    cache.stop();
    api.stop();
  });

  it("has what facts depend on while the API server still selects the node's addresses", async () => {
    let isReady = false;
    const ready = cache.waitUntilReady().then(() => {
      isReady = true;
    });
    await cache.waitUntilFactsListed();
    assert.deepEqual([isReady, cache.underlayAddresses.state, cache.pods.state], [false, "unknown", "known"]);
    answerAddresses();
    await ready;
    assert.equal(cache.underlayAddresses.state, "known");
  });
});
