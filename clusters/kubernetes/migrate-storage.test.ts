import assert from "node:assert/strict";
import { z } from "zod";
import { KubeClient } from "../../plugin/kubernetes/kube-client.ts";
import { createTestConfig } from "../../plugin/testing/test-api-server.ts";
import type { ApiRequest, ApiResponse, Transport } from "../../plugin/kubernetes/transport.ts";
import { migrateStorage } from "./migrate-storage.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const POOLS = "/apis/interlay.dev/v1beta1/underlaypools";

const storedBody = z.object({ apiVersion: z.string(), kind: z.string() });
const patchBody = z.object({
  spec: z.object({ versions: z.array(z.object({ name: z.string(), storage: z.boolean() })) }).optional(),
  status: z.object({ storedVersions: z.array(z.string()) }).optional(),
});

/** An API server with the definition of UnderlayPool and objects of it, each with the version in which it is stored. */
class FakeApiServer implements Transport {
  readonly received = 0;
  readonly stored = new Map<string, string>();
  /** Statuses with which writes of objects are refused. */
  readonly refused = new Map<string, number>();
  versions = [
    { name: "v1beta1", served: true, storage: true },
    { name: "v1alpha1", served: true, storage: false },
  ];
  storedVersions = ["v1alpha1", "v1beta1"];
  writes: readonly string[] = [];

  constructor(...names: readonly string[]) {
    for (const name of names) this.stored.set(name, "v1alpha1");
  }

  send({ method, path, body = "{}" }: ApiRequest): Promise<ApiResponse> {
    const [pathname = ""] = path.split("?");
    if (method !== "GET") this.writes = [...this.writes, `${method} ${pathname}`];
    return Promise.resolve(this.#answer(method, pathname, body));
  }

  watch(): never {
    throw new Error("nothing is watched");
  }

  get client(): KubeClient {
    return new KubeClient(createTestConfig("http://fake"), this);
  }

  #answer(method: string, path: string, body: string): ApiResponse {
    if (method === "GET" && path === DEFINITIONS) return list([this.#definition, OTHER_DEFINITION]);
    if (method === "GET" && /v1(beta|alpha)1\/underlaypools$/.test(path))
      return list([...this.stored.keys()].map((name) => ({ metadata: { name, resourceVersion: "1" }, spec: {} })));
    if (method === "PATCH" && path.startsWith(`${DEFINITIONS}/underlaypools.interlay.dev`)) {
      const { spec, status } = patchBody.parse(JSON.parse(body));
      this.versions = spec?.versions.map((one) => ({ ...one, served: true })) ?? this.versions;
      this.storedVersions = status?.storedVersions ?? this.storedVersions;
      return { status: 200, text: "{}" };
    }
    if (method !== "PUT") return { status: 404, text: "{}" };
    const name = path.split("/").at(-1) ?? "";
    const status = this.refused.get(name) ?? 200;
    storedBody.parse(JSON.parse(body));
    if (status === 200) this.stored.set(name, this.versions.find(({ storage }) => storage)?.name ?? "");
    return { status, text: JSON.stringify({ message: "spec.subnet: the subnet has host bits" }) };
  }

  get #definition() {
    return {
      metadata: { name: "underlaypools.interlay.dev", resourceVersion: "7" },
      spec: {
        group: "interlay.dev",
        names: { kind: "UnderlayPool", plural: "underlaypools" },
        versions: this.versions,
      },
      status: { storedVersions: this.storedVersions },
    };
  }
}

const OTHER_DEFINITION = {
  metadata: { name: "ippools.crd.projectcalico.org", resourceVersion: "8" },
  spec: {
    group: "crd.projectcalico.org",
    names: { kind: "IPPool", plural: "ippools" },
    versions: [{ name: "v1", storage: true }],
  },
  status: { storedVersions: ["v1", "v0"] },
};

function list(items: readonly unknown[]): ApiResponse {
  return { status: 200, text: JSON.stringify({ metadata: { resourceVersion: "9" }, items }) };
}

const migrate = (server: FakeApiServer, version = "v1beta1") =>
  migrateStorage(server.client, { version, propagationMs: 0 });

describe("the migration of stored objects to a version of the API", () => {
  it("writes every object, then removes the former version from storedVersions of Interlay's kinds only", async () => {
    const server = new FakeApiServer("a", "b");
    await migrate(server);
    assert.deepEqual([...server.stored.values()], ["v1beta1", "v1beta1"]);
    assert.deepEqual(server.storedVersions, ["v1beta1"]);
    assert.deepEqual(server.writes, [
      `PUT ${POOLS}/a`,
      `PUT ${POOLS}/b`,
      `PATCH ${DEFINITIONS}/underlaypools.interlay.dev/status`,
    ]);
  });

  it("writes nothing if all objects are stored in the version", async () => {
    const server = new FakeApiServer("a");
    server.storedVersions = ["v1beta1"];
    await migrate(server);
    assert.deepEqual(server.writes, []);
  });

  it("takes an object that was deleted or changed since the list as done", async () => {
    const server = new FakeApiServer("deleted", "changed", "a");
    server.refused.set("deleted", 404).set("changed", 409);
    await migrate(server);
    assert.deepEqual(server.storedVersions, ["v1beta1"]);
  });

  it("keeps storedVersions and names the object if the API server refuses one", async () => {
    const server = new FakeApiServer("a", "invalid");
    server.refused.set("invalid", 422);
    await assert.rejects(
      migrate(server),
      /^Error: Cannot store UnderlayPool invalid in interlay\.dev\/v1beta1: spec\.subnet: the subnet has host bits\. Correct/,
    );
    assert.deepEqual(server.storedVersions, ["v1alpha1", "v1beta1"]);
  });

  it("stores objects as v1alpha1 again before a downgrade", async () => {
    const server = new FakeApiServer("a");
    await migrate(server);
    await migrate(server, "v1alpha1");
    assert.deepEqual([server.stored.get("a"), server.storedVersions], ["v1alpha1", ["v1alpha1"]]);
    assert.deepEqual(
      server.versions.map(({ name, storage }) => [name, storage]),
      [
        ["v1beta1", false],
        ["v1alpha1", true],
      ],
    );
  });

  it("changes nothing if the CRDs do not have the version yet", async () => {
    const server = new FakeApiServer("a");
    server.versions = [{ name: "v1alpha1", served: true, storage: true }];
    server.storedVersions = ["v1alpha1"];
    await assert.rejects(migrate(server), /underlaypools\.interlay\.dev does not have version v1beta1: apply the CRDs/);
    assert.deepEqual(server.writes, []);
  });
});
