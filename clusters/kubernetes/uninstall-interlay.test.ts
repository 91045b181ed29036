import assert from "node:assert/strict";
import { startTestApiServer, type TestApiServer } from "../../plugin/testing/test-api-server.ts";
import { uninstallInterlay } from "./uninstall-interlay.ts";

const NAMESPACE = "/api/v1/namespaces/interlay-system";
const PODS = `${NAMESPACE}/pods`;
const DAEMON_SETS = "/apis/apps/v1/namespaces/interlay-system/daemonsets";
const CLEANED = { status: { desiredNumberScheduled: 1, numberReady: 1, updatedNumberScheduled: 1 } };

/** State of the API server after `helm uninstall`. */
interface HelmUninstalled {
  /** Lists of pods that still have one that terminates. */
  listsWithPods: number;
  /** Reads of the namespace that still find it, and that it is being deleted. */
  readsWithNamespace: number;
}

describe("interlay uninstall after helm uninstall", () => {
  let state: HelmUninstalled;
  let created: readonly { readonly path: string; readonly state: HelmUninstalled }[];
  let api: TestApiServer;
  /** UnderlayAddresses of v1alpha1, which is the only version. */
  let earlierAddresses: readonly unknown[];

  before(async () => {
    api = await startTestApiServer((request, response) => {
      const { pathname } = new URL(request.url ?? "", "http://localhost");
      const [status, body] = answer(request.method ?? "", pathname);
      request.resume();
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  beforeEach(() => {
    created = [];
    earlierAddresses = [];
  });
  after(() => {
    api.stop();
  });

  function answer(method: string, path: string): readonly [number, unknown] {
    if (method === "POST") created = [...created, { path, state: { ...state } }];
    if (method === "POST") return [201, {}];
    if (method === "GET" && path === "/apis/interlay.dev/v1alpha1/underlayaddresses" && earlierAddresses.length > 0)
      return [200, { items: earlierAddresses }];
    if (method === "GET" && path === "/api/v1/pods")
      return [200, { items: [{ metadata: { uid: "1", namespace: "shop", name: "web" } }] }];
    if (method === "GET" && path === PODS) return [200, { items: state.listsWithPods-- > 0 ? [{}] : [] }];
    if (method === "GET" && path === NAMESPACE)
      return state.readsWithNamespace-- > 0 ? [200, { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }] : GONE;
    if (method === "GET" && path === `${DAEMON_SETS}/interlay-uninstall`)
      return created.some((one) => one.path === DAEMON_SETS) ? [200, CLEANED] : GONE;
    if (method === "GET" && path === "/apis/apps/v1")
      return [200, { resources: ["DaemonSet", "Deployment"].map((kind) => createResource(kind)) }];
    return GONE;
  }

  const uninstall = () =>
    uninstallInterlay(api.config, { timeoutMs: 20_000, image: "interlay:test", force: false, log: () => undefined });

  it("cleans the nodes after the agents' and the controller's pods have ended", async () => {
    state = { listsWithPods: 2, readsWithNamespace: 0 };
    await uninstall();
    const cleaning = created.find(({ path }) => path === DAEMON_SETS);
    assert.ok(cleaning !== undefined, "no DaemonSet was created");
    assert.ok(cleaning.state.listsWithPods <= 0, "a pod of the agents has not ended");
  });

  it("refuses while pods have addresses of an installation that serves only v1alpha1", async () => {
    state = { listsWithPods: 0, readsWithNamespace: 0 };
    earlierAddresses = [{ spec: { pod: { uid: "1" } } }];
    await assert.rejects(uninstall(), /Cannot uninstall: pod shop\/web has links that Interlay manages/);
    assert.deepEqual(created, []);
  });

  it("creates the namespace again after an earlier deletion of it has ended", async () => {
    state = { listsWithPods: 0, readsWithNamespace: 2 };
    await uninstall();
    assert.deepEqual(
      created.map(({ path }) => path),
      ["/api/v1/namespaces", DAEMON_SETS],
    );
    for (const { path, state } of created) assert.ok(state.readsWithNamespace <= 0, `${path} while it is deleted`);
  });
});

const createResource = (kind: string) => ({ name: `${kind.toLowerCase()}s`, kind, namespaced: true });
const GONE: readonly [number, unknown] = [404, { kind: "Status", code: 404, message: "not found" }];
