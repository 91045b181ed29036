import assert from "node:assert/strict";
import { KubeError } from "./kube-error.ts";
import { LEASE_SECONDS, LeaderElection } from "./leader-election.ts";

interface Lease {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec: { readonly holderIdentity: string };
}

/** One Lease, with the API server's optimistic concurrency. */
class LeaseServer {
  lease: Lease | undefined;
  #version = 0;
  /** Undefined: it answers. */
  failure: Error | undefined;

  find(): Promise<unknown> {
    return this.#answer(() => this.lease);
  }

  create(_: unknown, body: unknown): Promise<unknown> {
    return this.#answer(() => {
      if (this.lease !== undefined) throw new KubeError(409, "exists");
      return this.store(body as Lease);
    });
  }

  replace(_: unknown, __: unknown, body: unknown): Promise<unknown> {
    return this.#answer(() => {
      const { metadata } = body as Lease;
      if (metadata.resourceVersion !== this.lease?.metadata.resourceVersion) throw new KubeError(409, "changed");
      return this.store(body as Lease);
    });
  }

  mergePatch(_: unknown, __: unknown, patch: unknown): Promise<unknown> {
    return this.#answer(() => this.store(patch as Lease));
  }

  store({ spec }: Pick<Lease, "spec">): Lease {
    this.lease = { metadata: { resourceVersion: String(++this.#version) }, spec };
    return this.lease;
  }

  #answer(work: () => unknown): Promise<unknown> {
    return this.failure === undefined ? Promise.resolve().then(work) : Promise.reject(this.failure);
  }
}

describe("the election of the controller's leader", () => {
  let now: number;
  let server: LeaseServer;
  const join = (identity: string) => new LeaderElection(server, identity, () => now);
  const pass = (seconds: number): void => {
    now += 1000 * seconds;
  };

  beforeEach(() => {
    now = 0;
    server = new LeaseServer();
  });

  it("is won by one of two replicas that campaign at the same time", async () => {
    const replicas = [join("a"), join("b")];
    await Promise.all(replicas.map((one) => one.campaign()));
    assert.deepEqual(
      replicas.map(({ held }) => held),
      [server.lease?.spec.holderIdentity === "a", server.lease?.spec.holderIdentity === "b"],
    );
    assert.equal(replicas.filter(({ held }) => held).length, 1);
  });

  it("is kept while the leader renews it", async () => {
    const [a, b] = [join("a"), join("b")];
    for (let nth = 0; nth < 10; nth++) {
      await a.campaign();
      await b.campaign();
      assert.deepEqual([a.held, b.held], [true, false]);
      pass(LEASE_SECONDS / 3);
    }
  });

  it("is won by another replica after the leader's end, but not before the leader must have noticed", async () => {
    const [a, b] = [join("a"), join("b")];
    await a.campaign();
    await b.campaign();
    for (let second = 1; second <= 2 * LEASE_SECONDS && !b.held; second++) {
      pass(1);
      await b.campaign();
      assert.ok(!(a.held && b.held), `two leaders after ${second} s`);
    }
    assert.ok(b.held);
    assert.equal(now, 1000 * (LEASE_SECONDS + 1));
  });

  it("is lost by a leader that cannot renew it", async () => {
    const a = join("a");
    await a.campaign();
    server.failure = new Error("the API server is away");
    pass(LEASE_SECONDS / 3);
    await assert.rejects(a.campaign());
    assert.ok(a.held, "the lease has time left");
    pass(LEASE_SECONDS / 2);
    assert.ok(!a.held);
  });

  it("is lost by a leader at the sight of another holder", async () => {
    const a = join("a");
    await a.campaign();
    server.store({ spec: { holderIdentity: "b" } });
    await a.campaign();
    assert.ok(!a.held);
    assert.equal(server.lease?.spec.holderIdentity, "b");
  });

  it("is won at once after the leader resigns", async () => {
    const [a, b] = [join("a"), join("b")];
    await a.campaign();
    await a.resign();
    await b.campaign();
    assert.deepEqual([a.held, b.held], [false, true]);
    await a.resign();
    assert.equal(server.lease?.spec.holderIdentity, "b", "a replica that does not lead has nothing to release");
  });
});
