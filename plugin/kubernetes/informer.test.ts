import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { z } from "zod";
import { KubeClient } from "./kube-client.ts";
import { FetchTransport } from "./fetch-transport.ts";
import { Informer } from "./informer.ts";
import { objectMeta } from "./object-meta.ts";
import { createTestConfig, startTestApiServer, type TestApiServer } from "../testing/test-api-server.ts";

const schema = z.object({ metadata: objectMeta });
const object = (name: string, uid: string, version: number) => ({
  metadata: { name, uid, resourceVersion: String(version) },
});

describe("informer", () => {
  let api: TestApiServer;
  let watching: ServerResponse | undefined;
  let lists: URLSearchParams[];
  let watches: URLSearchParams[];
  /** Called before a list is answered. */
  let listing: () => void;
  let kube: KubeClient;
  let informer: Informer<z.infer<typeof schema>>;
  const IDLE_MS = 400;
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  const send = (type: string, what: unknown) => watching?.write(`${JSON.stringify({ type, object: what })}\n`);
  /** A last event, and wait until it has been heard: all before it have been, too. */
  const waitForVersion = async (version: number) => {
    send("ADDED", object(`last-${version}`, `last-${version}`, version));
    while (informer.get(`last-${version}`) === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(async () => {
    [lists, watches, listing] = [[], [], () => undefined];
    api = await startTestApiServer((request, response) => {
      response.setHeader("Content-Type", "application/json");
      const query = new URL(request.url ?? "", "http://server").searchParams;
      if (query.has("watch")) {
        watches.push(query);
        response.flushHeaders();
        watching = response;
      } else {
        lists.push(query);
        listing();
        response.end(JSON.stringify({ metadata: { resourceVersion: "10" }, items: [object("a", "first", 5)] }));
      }
    });
    kube = new KubeClient(api.config, new FetchTransport(api.config, { idleMs: IDLE_MS }));
    informer = new Informer(kube, { api: "/apis/test/v1", plural: "things" }, (o) => schema.parse(o)).start();
    await informer.ready;
    while (watching === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  afterEach(() => {
    informer.stop();
    watching = undefined;
    api.stop();
  });

  it("keeps a locally deleted object deleted when the watch delivers its last change late", async () => {
    informer.applyLocalDelete("a", "first");
    send("MODIFIED", object("a", "first", 11));
    await waitForVersion(12);
    assert.equal(informer.get("a"), undefined);
  });

  it("should follow the next object of that name in either order of watch and response", async () => {
    send("DELETED", object("a", "first", 11));
    await waitForVersion(12);
    informer.applyLocalDelete("a", "first"); // the answer comes now
    send("ADDED", object("a", "second", 13));
    await waitForVersion(14);
    assert.equal(informer.get("a")?.metadata.uid, "second");

    informer.applyLocalDelete("a", "second");
    send("DELETED", object("a", "second", 15));
    send("ADDED", object("a", "third", 16));
    await waitForVersion(17);
    assert.equal(informer.get("a")?.metadata.uid, "third");
  });

  it("keeps the next object of that name when the answer of the deletion comes last", async () => {
    send("DELETED", object("a", "first", 11));
    send("ADDED", object("a", "second", 12));
    await waitForVersion(13);
    informer.applyLocalDelete("a", "first");
    assert.equal(informer.get("a")?.metadata.uid, "second");
  });

  it("keeps an object deleted by the watch when the response of a write comes last", async () => {
    send("MODIFIED", object("a", "first", 11));
    send("DELETED", object("a", "first", 12));
    await waitForVersion(13);
    informer.applyLocalWrite(object("a", "first", 11));
    assert.equal(informer.get("a"), undefined);
  });

  it("returns a local write until the watch delivers it", async () => {
    informer.applyLocalWrite(object("a", "first", 20));
    send("MODIFIED", object("a", "first", 11));
    await waitForVersion(21);
    assert.equal(informer.get("a")?.metadata.resourceVersion, "20");
    send("MODIFIED", object("a", "first", 22));
    await waitForVersion(23);
    assert.equal(informer.get("a")?.metadata.resourceVersion, "22");
  });

  it("lists from the API server's watch cache", () => {
    assert.deepEqual(
      lists.map((query) => [query.get("resourceVersion"), query.get("limit")]),
      [["0", null]],
    );
  });

  it("lists many objects in consistent pages", async () => {
    const many = new Informer(kube, { api: "/apis/test/v1", plural: "things" }, (o) => schema.parse(o), {
      source: "pages",
    }).start();
    await many.ready;
    many.stop();
    assert.deepEqual([lists.at(-1)?.get("resourceVersion"), lists.at(-1)?.get("limit")], [null, "500"]);
  });

  it("continues a watch from the last bookmark without a list", async () => {
    send("BOOKMARK", { metadata: { resourceVersion: "70" } });
    await waitForVersion(71);
    send("BOOKMARK", { metadata: { resourceVersion: "99" } });
    await new Promise((resolve) => setTimeout(resolve, 20));
    watching?.end();
    await until(() => watches.length === 2);
    assert.equal(watches[1]?.get("resourceVersion"), "99");
    assert.equal(lists.length, 1);
  });

  it("ends a watch that is silent for as long as its transport allows", async () => {
    const started = performance.now();
    await until(() => watches.length === 2);
    assert.ok(performance.now() - started > IDLE_MS / 2);
    assert.equal(lists.length, 1);
  });

  it("lists again at the last version after an expired watch, and keeps what was written during the list", async () => {
    listing = () => {
      informer.applyLocalWrite(object("mine", "mine", 31));
    };
    send("ADDED", object("b", "b", 30));
    send("ERROR", { kind: "Status", code: 410 });
    watching?.end();
    await until(() => watches.length === 2);
    assert.equal(lists[1]?.get("resourceVersion"), "30");
    assert.equal(informer.get("b"), undefined);
    assert.equal(informer.get("mine")?.metadata.resourceVersion, "31");
  });

  it("continues after an error of the API server that is not an expired version", async () => {
    send("ERROR", { kind: "Status", code: 429 });
    watching?.end();
    await until(() => watches.length === 2);
    assert.equal(lists.length, 1);
  });

  it("reports no change of an object that is not kept", async () => {
    let changes = 0;
    const kept = new Informer(kube, { api: "/apis/test/v1", plural: "things" }, (o) => {
      const parsed = schema.parse(o);
      return parsed.metadata.name.startsWith("last") ? parsed : undefined;
    });
    kept.onChange(() => {
      changes++;
    });
    kept.start();
    await kept.ready;
    await until(() => watches.length === 2);
    for (const type of ["ADDED", "MODIFIED", "DELETED"]) send(type, object("other", "other", 11));
    send("ADDED", object("last", "last", 12));
    await until(() => kept.get("last") !== undefined);
    assert.equal(changes, 2, "the list and the kept object");
    kept.stop();
  });

  it("skips and reports an object that its schema rejects once, and keeps following the others", async () => {
    const reports: string[] = [];
    const numbered = schema.extend({ spec: z.object({ number: z.number() }) });
    const strict = new Informer(
      kube,
      { api: "/apis/test/v1", plural: "things" },
      (o) => (schema.parse(o).metadata.name.startsWith("bad") ? numbered.parse(o) : schema.parse(o)),
      { reportInvalid: (message) => reports.push(message) },
    ).start();
    await strict.ready;
    await until(() => watches.length === 2);
    for (const version of [11, 12]) send("MODIFIED", { ...object("bad", "bad", version), spec: { number: "x" } });
    send("ADDED", object("last", "last", 13));
    await until(() => strict.get("last") !== undefined);
    assert.equal(strict.get("bad"), undefined);
    assert.deepEqual(
      reports.map((line) => line.slice(0, 38)),
      ["things bad is invalid: spec.number: In"],
    );
    assert.equal(strict.error, undefined, "the watch itself works");
    send("DELETED", object("bad", "bad", 14));
    send("ADDED", { ...object("bad", "bad-2", 15), spec: { number: "x" } });
    await until(() => reports.length === 2);
    strict.stop();
  });

  it("rejects the wait for a list when the attempt fails, and resolves it when a later one succeeds", async () => {
    const absent = new Informer(
      new KubeClient(createTestConfig("http://127.0.0.1:1")),
      { api: "/apis/test/v1", plural: "things" },
      (o) => schema.parse(o),
    );
    const waiting = assert.rejects(absent.start().waitUntilListed(), /was not reached/);
    await waiting;
    absent.stop();
    await informer.waitUntilListed();
  });
});
