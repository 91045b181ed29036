import assert from "node:assert/strict";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { KubeClient } from "./kube-client.ts";
import { Informer } from "./informer.ts";
import { objectMeta } from "./object-meta.ts";

const schema = z.object({ metadata: objectMeta });
const object = (name: string, uid: string, version: number) => ({
  metadata: { name, uid, resourceVersion: String(version) },
});

describe("informer", () => {
  let server: Server;
  let watching: ServerResponse | undefined;
  let informer: Informer<z.infer<typeof schema>>;

  const send = (type: string, what: unknown) => watching?.write(`${JSON.stringify({ type, object: what })}\n`);
  /** A last event, and wait until it has been heard: all before it have been, too. */
  const heard = async (version: number) => {
    send("ADDED", object(`last-${version}`, `last-${version}`, version));
    while (informer.get(`last-${version}`) === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(async () => {
    server = createServer((request, response) => {
      response.setHeader("Content-Type", "application/json");
      if (new URL(request.url ?? "", "http://server").searchParams.has("watch")) {
        response.flushHeaders();
        watching = response;
      } else response.end(JSON.stringify({ metadata: { resourceVersion: "10" }, items: [object("a", "first", 5)] }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: "test", server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, skipTLSVerify: true },
      { name: "test" },
    );
    informer = new Informer(new KubeClient(config), { api: "/apis/test/v1", plural: "things" }, (o) =>
      schema.parse(o),
    ).start();
    await informer.ready;
    while (watching === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  afterEach(() => {
    informer.stop();
    watching = undefined;
    server.closeAllConnections();
    server.close();
  });

  it("keeps a locally deleted object deleted when the watch delivers its last change late", async () => {
    informer.applyLocalDelete("a", "first");
    send("MODIFIED", object("a", "first", 11));
    await heard(12);
    assert.equal(informer.get("a"), undefined);
  });

  it("should follow the next object of that name in either order of watch and response", async () => {
    send("DELETED", object("a", "first", 11));
    await heard(12);
    informer.applyLocalDelete("a", "first"); // the answer comes now
    send("ADDED", object("a", "second", 13));
    await heard(14);
    assert.equal(informer.get("a")?.metadata.uid, "second");

    informer.applyLocalDelete("a", "second");
    send("DELETED", object("a", "second", 15));
    send("ADDED", object("a", "third", 16));
    await heard(17);
    assert.equal(informer.get("a")?.metadata.uid, "third");
  });

  it("keeps the next object of that name when the answer of the deletion comes last", async () => {
    send("DELETED", object("a", "first", 11));
    send("ADDED", object("a", "second", 12));
    await heard(13);
    informer.applyLocalDelete("a", "first");
    assert.equal(informer.get("a")?.metadata.uid, "second");
  });

  it("keeps an object deleted by the watch when the response of a write comes last", async () => {
    send("MODIFIED", object("a", "first", 11));
    send("DELETED", object("a", "first", 12));
    await heard(13);
    informer.applyLocalWrite(object("a", "first", 11));
    assert.equal(informer.get("a"), undefined);
  });

  it("returns a local write until the watch delivers it", async () => {
    informer.applyLocalWrite(object("a", "first", 20));
    send("MODIFIED", object("a", "first", 11));
    await heard(21);
    assert.equal(informer.get("a")?.metadata.resourceVersion, "20");
    send("MODIFIED", object("a", "first", 22));
    await heard(23);
    assert.equal(informer.get("a")?.metadata.resourceVersion, "22");
  });
});
