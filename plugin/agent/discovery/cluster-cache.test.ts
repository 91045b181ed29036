import assert from "node:assert/strict";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { KubeClient } from "../../kubernetes/kube-client.ts";
import { ClusterCache } from "./cluster-cache.ts";

describe("ClusterCache", () => {
  let server: Server;
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
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://server");
      if (searchParams.has("watch")) response.flushHeaders();
      else if (pathname.endsWith("/underlayaddresses")) held.push(response);
      else answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const config = new KubeConfig();
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    config.loadFromClusterAndUser({ name: "test", server: url, skipTLSVerify: true }, { name: "test" });
    cache = new ClusterCache(new KubeClient(config), "n1");
    cache.start(() => undefined);
  });
  afterEach(() => {
    cache.stop();
    server.closeAllConnections();
    server.close();
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
