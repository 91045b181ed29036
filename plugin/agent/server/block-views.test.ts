import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeClient } from "../../kubernetes/kube-client.ts";
import { startTestApiServer, type TestApiServer } from "../../testing/test-api-server.ts";
import { BlockViews } from "./block-views.ts";

const getBlock = (nth: number): string => `10.7.${nth}.0-24`;

describe("BlockViews", () => {
  let api: TestApiServer;
  let lists: (string | null)[];
  let watches: Map<string, ServerResponse>;
  let now: number;
  let views: BlockViews;

  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(async () => {
    [lists, watches, now] = [[], new Map<string, ServerResponse>(), 0];
    api = await startTestApiServer((request, response) => {
      const query = new URL(request.url ?? "", "http://server").searchParams;
      const selector = query.get("labelSelector");
      if (query.has("watch")) {
        watches.set(String(selector), response);
        response.on("close", () => watches.delete(String(selector)));
        response.flushHeaders();
      } else {
        lists.push(selector);
        response.end(JSON.stringify({ metadata: { resourceVersion: "10" }, items: [] }));
      }
    });
    views = new BlockViews(new KubeClient(api.config), () => now);
  });
  afterEach(() => {
    views.stop();
    api.stop();
  });

  it("lists a block once for as long as it is used, and follows it", async () => {
    for (let call = 0; call < 3; call++) await views.open(getBlock(1));
    await until(() => watches.size === 1);
    assert.deepEqual(lists, ["interlay.dev/block=10.7.1.0-24"]);
  });

  it("ends the watch of a block without an allocation for five minutes", async () => {
    await views.open(getBlock(1));
    await until(() => watches.size === 1);
    now = 299_000;
    views.closeIdle();
    assert.equal(watches.size, 1);
    now = 301_000;
    views.closeIdle();
    await until(() => watches.size === 0);
  });

  it("watches at most 16 blocks: those that were used last", async () => {
    for (let nth = 0; nth < 20; nth++) {
      now++;
      await views.open(getBlock(nth));
    }
    await until(() => watches.size === 16 && watches.has(`interlay.dev/block=${getBlock(19)}`));
    await views.open(getBlock(19));
    assert.equal(lists.length, 20);
    await views.open(getBlock(0));
    assert.equal(lists.length, 21);
  });

  it("rejects while the API server does not respond, and lists when it does again", async () => {
    const { server } = api;
    const { port } = server.address() as AddressInfo;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(views.open(getBlock(1)), /was not reached/);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    assert.deepEqual((await views.open(getBlock(1))).values(), []);
  });
});
