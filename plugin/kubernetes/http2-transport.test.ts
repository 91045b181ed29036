import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import {
  type AddressInfo,
  createConnection,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { FetchTransport } from "./fetch-transport.ts";
import { Http2Transport } from "./http2-transport.ts";
import { KubeClient } from "./kube-client.ts";
import { hasStatus } from "./kube-error.ts";

const THINGS = { api: "/apis/test/v1", plural: "things" };

/** Creates a key and a certificate of 127.0.0.1. */
function createCertificate(): { readonly key: Buffer; readonly cert: Buffer } {
  const directory = mkdtempSync(join(tmpdir(), "interlay-http2-"));
  const [key, cert] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-keyout", key, "-out", cert, "-days", "2"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...files, ...subject], { stdio: "ignore" });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(directory, { recursive: true });
  return pair;
}

describe("Http2Transport", () => {
  const certificate = createCertificate();
  let server: Http2SecureServer;
  let sessions: ServerHttp2Session[];
  let tokens: string[];
  let watching: ServerHttp2Stream[];

  const listen = async (target: Server): Promise<string> => {
    await new Promise<void>((resolve) => target.listen(0, "127.0.0.1", resolve));
    return `https://127.0.0.1:${(target.address() as AddressInfo).port}`;
  };
  const createConfig = (url: string, ca: Buffer | undefined): KubeConfig => {
    const config = new KubeConfig();
    const caData = ca === undefined ? {} : { caData: ca.toString("base64") };
    config.loadFromClusterAndUser(
      { name: "test", server: url, skipTLSVerify: false, ...caData },
      { name: "test", token: "secret" },
    );
    return config;
  };
  const createClient = (
    url: string,
    ca: Buffer | undefined = certificate.cert,
    pingMs?: { every: number; answer: number },
  ) => {
    const config = createConfig(url, ca);
    const fallback = new FetchTransport(config);
    return new KubeClient(
      config,
      new Http2Transport(config, { fallback, ...(pingMs === undefined ? {} : { pingMs }) }),
    );
  };
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  beforeEach(() => {
    [sessions, tokens, watching] = [[], [], []];
    server = createSecureServer(certificate);
    server.on("session", (session) => {
      sessions.push(session);
    });
    server.on("stream", (stream, headers) => {
      tokens.push(headers.authorization ?? "");
      stream.on("error", () => undefined);
      const path = headers[":path"] ?? "";
      if (path.includes("busy")) {
        stream.respond({ ":status": 429, "retry-after": "3" });
        stream.end(JSON.stringify({ message: "too many requests" }));
      } else if (path.includes("watch=true")) {
        stream.respond({ ":status": 200 });
        watching.push(stream);
      } else {
        stream.respond({ ":status": 200 });
        stream.end(JSON.stringify({ method: headers[":method"], path }));
      }
    });
  });
  afterEach(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });

  it("sends requests and watches on one connection, with the user's token", async () => {
    const kube = createClient(await listen(server));
    const ended: unknown[] = [];
    const names: unknown[] = [];
    const handler = {
      changed: (_: string, object: unknown) => {
        names.push(object);
      },
      ended: (error: unknown) => {
        ended.push(error);
      },
    };
    const streams = await Promise.all([...Array(20).keys()].map((n) => kube.watch(`/watch/${n}`, {}, handler)));
    assert.deepEqual(await kube.get(THINGS, "ä"), { method: "GET", path: "/apis/test/v1/things/ä" });
    await until(() => watching.length === 20);
    const line = Buffer.from(`${JSON.stringify({ type: "ADDED", object: "ü" })}\n`);
    for (const part of [line.subarray(0, -4), line.subarray(-4)]) watching[0]?.write(part);
    await until(() => names.length === 1);
    for (const stream of streams) stream.abort();
    await until(() => ended.length === 20);
    assert.deepEqual([sessions.length, names, new Set(tokens)], [1, ["ü"], new Set(["Bearer secret"])]);
    assert.ok((kube.counts.received ?? 0) >= line.length);
  });

  it("reports an error status with the wait that the API server asks for, of requests and watches", async () => {
    const kube = createClient(await listen(server));
    const failure = await kube.get(THINGS, "busy").catch((error: unknown) => error);
    const ended = await new Promise<unknown>((resolve) => {
      void kube.watch("/busy", {}, { changed: () => undefined, ended: resolve });
    });
    for (const error of [failure, ended]) {
      assert.ok(hasStatus(error, 429));
      assert.deepEqual(
        [String(error), Reflect.get(Object(error), "retryAfter")],
        ["KubeError: too many requests", 3000],
      );
    }
  });

  it("uses a new connection after the server's GOAWAY, and lets the watches of the old one end", async () => {
    const kube = createClient(await listen(server));
    let isOver = false;
    await kube.watch(
      "/watch",
      {},
      {
        changed: () => undefined,
        ended: () => {
          isOver = true;
        },
      },
    );
    await until(() => watching.length === 1);
    watching[0]?.session?.goaway();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await kube.get(THINGS, "a");
    assert.equal(sessions.length, 2);
    watching[0]?.end();
    await until(() => isOver);
  });

  it("ends a connection whose pings are not answered", async () => {
    const { port } = new URL(await listen(server));
    const sockets: Socket[] = [];
    const wire = createTcpServer((near) => {
      const far = createConnection(Number(port), "127.0.0.1");
      near.pipe(far).pipe(near);
      sockets.push(near, far);
    });
    const kube = createClient(await listen(wire), certificate.cert, { every: 20, answer: 100 });
    const ended = new Promise<unknown>((resolve) => {
      void kube.watch("/watch", {}, { changed: () => undefined, ended: resolve });
    });
    await until(() => watching.length === 1);
    // A machine that is gone neither answers nor closes.
    for (const socket of sockets) socket.unpipe().pause();
    assert.match(String(await ended), /did not answer a ping within 100 ms/);
    for (const socket of sockets) socket.destroy();
    wire.close();
  });

  it("rejects a server whose certificate the cluster's authority did not sign", async () => {
    await assert.rejects(createClient(await listen(server), createCertificate().cert).get(THINGS, "a"), /certificate/);
  });

  it("falls back to HTTP/1.1 for a server that speaks only that", async () => {
    const old = createHttpsServer(certificate, (_request, response) => response.end('{"old":true}'));
    const kube = createClient(await listen(old));
    assert.deepEqual(await kube.get(THINGS, "a"), { old: true });
    assert.equal(kube.counts.requests, 1);
    old.closeAllConnections();
    old.close();
  });
});
