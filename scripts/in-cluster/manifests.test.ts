import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { REQUIRED_PERMISSIONS } from "../../clusters/existing/inventory/permissions.ts";
import { buildManifests, buildSonobuoyPlugin, type JobOptions, listCreatedObjects, RUN_RULES } from "./manifests.ts";

const OPTIONS: JobOptions = { suite: "r/suite:1", probe: "r/probe:1", e2e: ["--nodes", "2"], clusterAdmin: false };
const findKind = (options: JobOptions, kind: string) => buildManifests(options).find((one) => one.kind === kind);

describe("the Job of a run in a cluster", () => {
  it("has every permission that the preflight requires", () => {
    for (const { verb, group = "", resource, subresource, action } of REQUIRED_PERMISSIONS) {
      const name = subresource === undefined ? resource : `${resource}/${subresource}`;
      assert.ok(
        RUN_RULES.some(
          ({ apiGroups, resources, verbs }) =>
            apiGroups.includes(group) && resources.includes(name) && verbs.includes(verb),
        ),
        action,
      );
    }
  });

  it("may neither read Secrets nor use wildcards", () => {
    const words = RUN_RULES.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs]);
    assert.ok(!words.includes("*") && !words.includes("secrets"));
  });

  it("is bound to cluster-admin only on request", () => {
    const findRole = (options: JobOptions) => findKind(options, "ClusterRoleBinding")?.["roleRef"] as { name: string };
    assert.equal(findRole(OPTIONS).name, "interlay-e2e");
    assert.equal(findRole({ ...OPTIONS, clusterAdmin: true }).name, "cluster-admin");
    assert.equal(findKind({ ...OPTIONS, clusterAdmin: true }, "ClusterRole"), undefined);
  });

  it("is the last object, runs once, and passes the options of the run on", () => {
    const job = buildManifests(OPTIONS).at(-1);
    assert.equal(job?.kind, "Job");
    const { backoffLimit, template } = job["spec"] as {
      backoffLimit: number;
      template: { spec: { containers: { args: string[] }[]; volumes: { name: string }[] } };
    };
    assert.equal(backoffLimit, 0);
    assert.deepEqual(template.spec.containers[0]?.args, [
      ...["--config-map", "interlay-e2e/results", "--", "--image", "r/probe:1", "--nodes", "2"],
    ]);
    assert.deepEqual(
      template.spec.volumes.map(({ name }) => name),
      ["tmp"],
    );
  });

  it("is removed with everything that was created, permissions and namespace last", () => {
    assert.deepEqual(
      listCreatedObjects().map(({ kind }) => kind),
      ["ConfigMap", "RoleBinding", "Role", "ClusterRoleBinding", "ClusterRole", "ServiceAccount", "Namespace"],
    );
    for (const { metadata } of buildManifests(OPTIONS)) assert.ok(metadata["labels"] !== undefined, metadata.name);
  });

  it("writes its files into a claim and pulls its image with a Secret, if they are named", () => {
    const text = JSON.stringify(buildManifests({ ...OPTIONS, claim: "disk", pullSecret: "login" }).at(-1));
    assert.match(text, /"claimName":"disk"/);
    assert.match(text, /"imagePullSecrets":\[\{"name":"login"\}\]/);
    assert.match(text, /"mountPath":"\/tmp\/results"/);
  });
});

describe("the plugin of Sonobuoy", () => {
  it("is examples/sonobuoy-plugin.yaml, with the images of the user", () => {
    const file = join(import.meta.dirname, "../../examples/sonobuoy-plugin.yaml");
    const images = { suite: "registry.example/interlay/suite:0.1.0", probe: "registry.example/interlay/probe:0.1.0" };
    assert.deepEqual(parse(readFileSync(file, "utf8")), buildSonobuoyPlugin({ ...images, e2e: [] }));
  });
});
