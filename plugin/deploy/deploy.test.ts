import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import packageJson from "../../package.json" with { type: "json" };
import { renderCrds } from "./crds.ts";
import { renderInterlay } from "./render-installation.ts";
import { renderUninstall } from "./render-uninstall.ts";

const read = (...path: readonly string[]): string => readFileSync(join(import.meta.dirname, ...path), "utf8");
const objects = (text: string): unknown[] => parseAllDocuments(text).map((document) => document.toJS() as unknown);

const version = z.looseObject({
  name: z.string(),
  served: z.boolean(),
  storage: z.boolean(),
  deprecated: z.boolean().optional(),
  deprecationWarning: z.string().optional(),
});
const definition = z.object({ spec: z.object({ versions: z.tuple([version, version]) }) });
/** Fields in which two versions of a kind differ. */
const VERSION = { name: "", storage: true, deprecated: true, deprecationWarning: "" };

describe("what a cluster installs", () => {
  it("manifests/crds.yaml is what `npm run generate` renders from crds.template.yaml", () => {
    assert.equal(read("manifests", "crds.yaml"), renderCrds(), "run npm run generate");
  });

  it("every kind is stored as v1beta1, and served as v1alpha1 with the same schema and a warning", () => {
    const definitions = objects(renderCrds()).map((object) => definition.parse(object).spec.versions);
    assert.equal(definitions.length, 5);
    for (const [stored, deprecated] of definitions) {
      assert.deepEqual([stored.name, stored.served, stored.storage], ["v1beta1", true, true]);
      assert.deepEqual({ ...deprecated, ...VERSION }, { ...stored, ...VERSION });
      assert.deepEqual([deprecated.name, deprecated.served, deprecated.storage], ["v1alpha1", true, false]);
      assert.match(deprecated.deprecationWarning ?? "", /v1alpha1 is deprecated; use interlay\.dev\/v1beta1$/);
    }
  });

  it("the chart has the kinds of the manifests and the project's version", () => {
    assert.equal(read("chart", "crds", "crds.yaml"), renderCrds(), "run npm run generate");
    const { version, appVersion } = parse(read("chart", "Chart.yaml")) as { version: string; appVersion: string };
    assert.deepEqual([version, appVersion], [packageJson.version, packageJson.version]);
  });

  it("the kustomize base contains all manifests, and each overlay the base", () => {
    const base = parse(read("manifests", "kustomization.yaml")) as { resources: string[] };
    const files = readdirSync(join(import.meta.dirname, "manifests")).filter((file) => file !== "kustomization.yaml");
    assert.deepEqual([...base.resources].sort(), files.sort());
    for (const overlay of readdirSync(join(import.meta.dirname, "overlays"))) {
      const { resources } = parse(read("overlays", overlay, "kustomization.yaml")) as { resources: string[] };
      assert.deepEqual(resources, ["../../manifests"]);
      assert.ok(existsSync(join(import.meta.dirname, "overlays", overlay, resources[0] ?? "")));
    }
  });

  it("the suite installs the objects of the base", () => {
    const rendered = objects(renderInterlay({ image: "interlay", returnPath: "auto", pools: [], admission: "v1" }));
    const files = [
      ...["namespace", "crds", "config", "interlay", "controller", "admission"].map((name) =>
        join("manifests", `${name}.yaml`),
      ),
      join("components", "restart-kube-proxy", "role.yaml"),
    ];
    const expected = files.flatMap((file) => objects(read(file)));
    for (const object of expected) assert.ok(rendered.some((one) => JSON.stringify(one) === JSON.stringify(object)));
  });

  it("the component for Kubernetes below v1.30 deletes all admission policies", () => {
    const { patches } = parse(read("components", "without-admission-policy", "kustomization.yaml")) as {
      patches: { patch: string }[];
    };
    const name = (object: unknown) => {
      const { kind, metadata } = object as { kind: string; metadata: { name: string } };
      return `${kind} ${metadata.name}`;
    };
    assert.deepEqual(
      patches.map(({ patch }) => name(parse(patch))).sort(),
      objects(read("manifests", "admission.yaml")).map(name).sort(),
    );
  });

  it("the uninstall DaemonSet does not use the API server, because its service account may be deleted", () => {
    const { spec } = (parse(renderUninstall("interlay:1")) as { spec: { template: { spec: Record<string, unknown> } } })
      .spec.template;
    assert.equal(spec["serviceAccountName"], undefined);
    assert.equal(spec["automountServiceAccountToken"], false);
    assert.deepEqual(
      [spec["initContainers"], spec["containers"]].map((all) =>
        (all as { image: string; args: string[] }[]).map(({ image, args }) => [image, args[0]]),
      ),
      [[["interlay:1", "uninstall"]], [["interlay:1", "wait"]]],
    );
  });

  it("the DaemonSet that cleans nodes uses the plugin directory of the agents", () => {
    assert.match(renderUninstall("interlay:1", "/var/lib/cni/bin"), /path: \/var\/lib\/cni\/bin\n/);
    assert.match(renderUninstall("interlay:1"), /path: \/opt\/cni\/bin\n/);
  });
});
