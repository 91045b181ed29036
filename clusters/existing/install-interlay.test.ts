import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { startTestApiServer, type TestApiServer } from "../../plugin/testing/test-api-server.ts";
import { readManifest } from "../../plugin/deploy/render-installation.ts";
import { OWNER_LABEL } from "../provider/provider.ts";
import { installOnExistingCluster } from "./install-interlay.ts";
import { GROUP_VERSION } from "../../plugin/kubernetes/objects.ts";

const POOL = { subnet: "10.7.0.0/16", ranges: ["10.7.200.0/24"] };
const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/";
const document = z.object({ apiVersion: z.string(), kind: z.string() });

/** Kinds of the manifests, and others that the installation reads. */
const kinds = [
  ...["namespace", "crds", "config", "interlay", "controller", "admission"].flatMap((file) =>
    parseAllDocuments(readManifest(`${file}.yaml`)).map((one) => document.parse(one.toJS())),
  ),
  { apiVersion: GROUP_VERSION, kind: "UnderlayPool" },
  { apiVersion: GROUP_VERSION, kind: "UnderlayNetwork" },
  { apiVersion: "k8s.cni.cncf.io/v1", kind: "NetworkAttachmentDefinition" },
];

describe("the installation in an existing cluster", () => {
  const sent = new Map<string, unknown>();
  let api: TestApiServer;

  before(async function () {
    this.timeout(30_000);
    api = await startTestApiServer((request, response) => {
      void text(request).then((body) => {
        const { pathname } = new URL(request.url ?? "", "http://localhost");
        if (request.method === "PATCH") sent.set(pathname, JSON.parse(body));
        const answer = { ...listResources(pathname), status: { desiredNumberScheduled: 1, numberReady: 1 } };
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
      });
    });
    await installOnExistingCluster(api.config, { image: "a", returnPath: "notrack", pool: POOL, pullSecrets: [] });
  });
  after(() => {
    api.stop();
  });

  it("sends definitions as their manifests have them, validation rules included", () => {
    const manifests = parseAllDocuments(readManifest("crds.yaml")).map((one) =>
      z.looseObject({ metadata: z.object({ name: z.string() }) }).parse(one.toJS()),
    );
    assert.ok(JSON.stringify(manifests).includes("x-kubernetes-validations"));
    for (const { metadata, ...rest } of manifests) {
      const { metadata: ignored, ...definition } = z.looseObject({}).parse(sent.get(DEFINITIONS + metadata.name));
      assert.ok(ignored);
      assert.deepEqual(definition, rest);
    }
  });

  it("labels every object as the suite's", () => {
    const labelled = z.object({ metadata: z.object({ labels: z.object({ [OWNER_LABEL]: z.literal("e2e") }) }) });
    assert.ok(sent.size > 10, `only ${sent.size} objects`);
    for (const [path, object] of sent) assert.ok(labelled.safeParse(object).success, path);
  });
});

function listResources(path: string): { readonly resources: readonly unknown[] } {
  const [, group = path.replace("/api/", "")] = /^\/apis\/(.+)$/.exec(path) ?? [];
  const found = kinds.filter(({ apiVersion }) => apiVersion === group).map(({ kind }) => kind);
  return {
    resources: [...new Set(found)].map((kind) => ({
      name: `${kind.toLowerCase()}s`,
      kind,
      namespaced: !/^(Cluster|Custom|Namespace|Underlay|Validating)/.test(kind),
    })),
  };
}
