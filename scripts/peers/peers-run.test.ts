import assert from "node:assert/strict";
import type { Cluster, Provider } from "../../clusters/provider/provider.ts";
import { DEFAULT_SPEC } from "../../clusters/spec/cluster-spec.ts";
import type { PeerSuite, PreparedSuite } from "../../e2e/peers/suite.ts";
import { PeersRun } from "./peers-run.ts";

type Request = ConstructorParameters<typeof PeersRun>[0];

/** A provider without clusters: `up` takes until `down` removes what it needs, as with the containers of nodes. */
class FakeProvider implements Provider {
  readonly name = "kind";
  readonly calls: string[] = [];
  readonly #onUp: () => void;
  #fail: (error: Error) => void = () => undefined;

  /** @param onUp called when `up` has begun */
  constructor(onUp: () => void = () => undefined) {
    this.#onUp = onUp;
  }

  preflight(): Promise<[]> {
    return Promise.resolve([]);
  }

  up(): Promise<Cluster> {
    this.calls.push("up");
    this.#onUp();
    return new Promise((_, reject) => (this.#fail = reject));
  }

  down(): Promise<void> {
    this.calls.push("down");
    this.#fail(new Error("a node is gone"));
    return Promise.resolve();
  }
}

/** Creates a run whose suite is prepared by `prepare`. */
function createRun(provider: Provider, prepare: PeerSuite["prepare"], changes: Partial<Request> = {}): PeersRun {
  const handle = { update: () => undefined, done: () => undefined, fail: () => undefined };
  return new PeersRun({
    id: "test",
    provider,
    suite: { name: "sig-network", podTypes: ["overlay"], focus: "", prepare },
    name: "test",
    buildSpec: () => Promise.resolve({ ...DEFAULT_SPEC, probe: "/probe" }),
    returnPath: "notrack",
    podTypes: ["overlay"],
    focus: "",
    skipKnown: true,
    processes: 1,
    keep: false,
    progress: { step: () => handle, note: () => undefined },
    print: () => undefined,
    write: () => Promise.resolve(),
    ...changes,
  });
}

const prepared: PreparedSuite = {
  images: [],
  kubectl: "kubectl",
  run: () => Promise.reject(new Error("must not run")),
  waitForCleanup: () => Promise.resolve(),
};

describe("a run of another project's suite", () => {
  it("takes the cluster down at once when a signal arrives during its bring-up, and once more when that has ended", async () => {
    const provider = new FakeProvider(() => {
      setImmediate(() => {
        run.interrupt("SIGTERM");
      });
    });
    const run = createRun(provider, () => Promise.resolve(prepared));
    const { checks, summary } = await run.run();
    assert.deepEqual(provider.calls, ["up", "down", "down"]);
    assert.deepEqual(
      checks.map(({ name, error }) => `${name}: ${error ?? ""}`),
      ["run: interrupt: SIGTERM during bring-up"],
    );
    assert.equal(summary.failed, 1);
  });

  it("creates no cluster after a signal that arrives while its programs are built", async () => {
    const provider = new FakeProvider();
    const run = createRun(provider, () => {
      run.interrupt("SIGINT");
      return Promise.resolve(prepared);
    });
    const { checks } = await run.run();
    assert.deepEqual(provider.calls, []);
    assert.deepEqual(
      checks.map(({ name }) => name),
      ["run: interrupt"],
    );
  });

  it("leaves the cluster as it is with --keep, also after a signal during its bring-up", async () => {
    const provider = new FakeProvider();
    const failing: Provider = {
      name: "kind",
      preflight: () => Promise.resolve([]),
      up: () => {
        run.interrupt("SIGINT");
        return Promise.reject(new Error("kind ended"));
      },
      down: () => provider.down(),
    };
    const run = createRun(failing, () => Promise.resolve(prepared), { keep: true });
    const { checks } = await run.run();
    assert.deepEqual(provider.calls, []);
    assert.deepEqual(
      checks.map(({ name, error }) => `${name}: ${error ?? ""}`),
      ["run: interrupt: SIGINT during bring-up"],
    );
  });

  it("reports a cluster that it cannot take down", async () => {
    const provider: Provider = {
      name: "kind",
      preflight: () => Promise.resolve([]),
      up: () => Promise.reject(new Error("no space is left")),
      down: () => Promise.reject(new Error("Docker does not answer")),
    };
    const { checks } = await createRun(provider, () => Promise.resolve(prepared)).run();
    assert.deepEqual(
      checks.map(({ name, error }) => `${name}: ${error ?? ""}`),
      ["run: bring-up: no space is left", "run: take-down: Docker does not answer"],
    );
  });
});
