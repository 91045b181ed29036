import assert from "node:assert/strict";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import { Kube } from "./kube-client.ts";
import { Mirror, objectMeta } from "./informer.ts";

const schema = z.object({ metadata: objectMeta });
const object = (name: string, uid: string, version: number) => ({
  metadata: { name, uid, resourceVersion: String(version) },
});

describe("mirror", () => {
  let server: Server;
  let watching: ServerResponse | undefined;
  let mirror: Mirror<z.infer<typeof schema>>;

  const tell = (type: string, what: unknown) => watching?.write(`${JSON.stringify({ type, object: what })}\n`);
  /** A last event, and wait until it has been heard: all before it have been, too. */
  const heard = async (version: number) => {
    tell("ADDED", object(`last-${version}`, `last-${version}`, version));
    while (mirror.get(`last-${version}`) === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
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
    mirror = new Mirror(new Kube(config), { api: "/apis/test/v1", plural: "things" }, (o) => schema.parse(o)).start();
    await mirror.ready;
    while (watching === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  afterEach(() => {
    mirror.stop();
    watching = undefined;
    server.closeAllConnections();
    server.close();
  });

  it("does not bring back what one has deleted, when the watch tells late of its last change", async () => {
    mirror.drop("a", "first");
    tell("MODIFIED", object("a", "first", 11));
    await heard(12);
    assert.equal(mirror.get("a"), undefined);
  });

  it("follows the next object of that name, whether the watch was before the answer or after it", async () => {
    tell("DELETED", object("a", "first", 11));
    await heard(12);
    mirror.drop("a", "first"); // the answer comes now
    tell("ADDED", object("a", "second", 13));
    await heard(14);
    assert.equal(mirror.get("a")?.metadata.uid, "second");

    mirror.drop("a", "second");
    tell("DELETED", object("a", "second", 15));
    tell("ADDED", object("a", "third", 16));
    await heard(17);
    assert.equal(mirror.get("a")?.metadata.uid, "third");
  });

  it("keeps the next object of that name when the answer of the deletion comes last", async () => {
    tell("DELETED", object("a", "first", 11));
    tell("ADDED", object("a", "second", 12));
    await heard(13);
    mirror.drop("a", "first");
    assert.equal(mirror.get("a")?.metadata.uid, "second");
  });

  it("does not bring back what the watch has told to be deleted, when the answer of a write comes last", async () => {
    tell("MODIFIED", object("a", "first", 11));
    tell("DELETED", object("a", "first", 12));
    await heard(13);
    mirror.put(object("a", "first", 11));
    assert.equal(mirror.get("a"), undefined);
  });

  it("goes by one's own write until the watch has told of it", async () => {
    mirror.put(object("a", "first", 20));
    tell("MODIFIED", object("a", "first", 11));
    await heard(21);
    assert.equal(mirror.get("a")?.metadata.resourceVersion, "20");
    tell("MODIFIED", object("a", "first", 22));
    await heard(23);
    assert.equal(mirror.get("a")?.metadata.resourceVersion, "22");
  });
});
