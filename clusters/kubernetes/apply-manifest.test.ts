import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { splitManifest } from "./apply-manifest.ts";

const document = (kind: string, name: string) => `kind: ${kind}\nmetadata: { name: ${name} }\n`;

describe("splitManifest", () => {
  it("returns definitions and namespaces before the other objects", () => {
    const manifest = [
      document("DaemonSet", "agent"),
      document("Namespace", "ours"),
      document("CustomResourceDefinition", "pools.example.org"),
      document("Pool", "one"),
    ].join("---\n");
    const { prerequisites, definitions, dependents } = splitManifest(manifest);
    const names = (text: string) => parseAllDocuments(text).map((d) => d.getIn(["metadata", "name"]));
    assert.deepEqual(names(prerequisites), ["ours", "pools.example.org"]);
    assert.deepEqual(definitions, ["pools.example.org"]);
    assert.deepEqual(names(dependents), ["agent", "one"]);
  });

  it("returns no first part without definitions and namespaces", () => {
    assert.equal(splitManifest(document("Pod", "one")).prerequisites, "");
  });
});
