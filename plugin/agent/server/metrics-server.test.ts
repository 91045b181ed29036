import assert from "node:assert/strict";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serveMetrics } from "./metrics-server.ts";
import { ScrapeAuthorizer } from "./scrape-authorizer.ts";

/** An API server that knows the token of a user who may read the metrics, and of one who may not. */
class Reviews {
  readonly requests: string[] = [];

  create({ plural }: { readonly plural: string }, body: unknown): Promise<unknown> {
    this.requests.push(plural);
    const { spec } = body as { readonly spec: { readonly token?: string; readonly user?: string } };
    if (plural === "tokenreviews") {
      const known = spec.token === "reader" || spec.token === "other";
      return Promise.resolve({ status: known ? { authenticated: true, user: { username: spec.token } } : {} });
    }
    return Promise.resolve({ status: { allowed: spec.user === "reader" } });
  }
}

describe("the metrics for other hosts", () => {
  let server: Server | undefined;
  let reviews: Reviews;
  beforeEach(() => {
    reviews = new Reviews();
  });
  afterEach(() => server?.close());

  async function scrape(authentication: "token" | "none", headers: Record<string, string> = {}, path = "/metrics") {
    server ??= await serveMetrics(
      { host: "127.0.0.1", port: 0, authentication, tlsDirectory: undefined },
      () => Promise.resolve("interlay_leader 1\n"),
      new ScrapeAuthorizer(reviews),
    );
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    return { status: response.status, body: await response.text() };
  }
  beforeEach(() => {
    server = undefined;
  });

  for (const [token, status] of [
    [undefined, 401],
    ["unknown", 401],
    ["other", 403],
    ["reader", 200],
  ] as const)
    it(`answer ${status} to a client with ${token === undefined ? "no token" : `the token "${token}"`}`, async () => {
      const answer = await scrape("token", token === undefined ? {} : { authorization: `Bearer ${token}` });
      assert.equal(answer.status, status);
      assert.equal(answer.body.includes("interlay_leader"), status === 200);
    });

  it("the metrics for other hosts are not reviewed again for a token of the last minute", async () => {
    for (let count = 0; count < 3; count++) await scrape("token", { authorization: "Bearer reader" });
    assert.deepEqual(reviews.requests, ["tokenreviews", "subjectaccessreviews"]);
  });

  it("the metrics for other hosts are reviewed again after a minute", async () => {
    const authorizer = new ScrapeAuthorizer(reviews);
    for (const now of [0, 59_999, 60_000]) assert.equal(await authorizer.authorize("Bearer reader", now), "allowed");
    assert.equal(reviews.requests.length, 4);
  });

  it("the metrics for other hosts are answered with 500, not given away, while the API server cannot be asked", async () => {
    reviews.create = () => Promise.reject(new Error("connection refused"));
    const { status, body } = await scrape("token", { authorization: "Bearer reader" });
    assert.deepEqual({ status, body }, { status: 500, body: "" });
  });

  it("need no token where authentication is none, and are the only path", async () => {
    assert.equal((await scrape("none")).status, 200);
    assert.equal((await scrape("none", {}, "/readyz")).status, 404);
    assert.deepEqual(reviews.requests, []);
  });
});
