import assert from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { renderCrds } from "./crds.ts";
import { insertStatusSchemas } from "./status-schema.ts";

const version = z.object({
  additionalPrinterColumns: z.array(z.object({ name: z.string(), jsonPath: z.string() })),
  schema: z.object({ openAPIV3Schema: z.record(z.string(), z.unknown()) }),
});
const definition = z.object({
  spec: z.object({
    names: z.object({ kind: z.string(), categories: z.array(z.string()) }),
    /** The stored version, then the deprecated one with the same schema. */
    versions: z.tuple([version, version]),
  }),
});
const node = z.object({
  type: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  "x-kubernetes-preserve-unknown-fields": z.unknown().optional(),
});

/** Lists the paths of schemas that accept any value. */
function listUntyped(schema: unknown, path: string): readonly string[] {
  const { type, properties = {}, items, ...rest } = node.parse(schema);
  return [
    ...(type === undefined || rest["x-kubernetes-preserve-unknown-fields"] !== undefined ? [path] : []),
    ...Object.entries(properties).flatMap(([name, property]) => listUntyped(property, `${path}.${name}`)),
    ...(items === undefined ? [] : listUntyped(items, `${path}[]`)),
  ];
}

describe("the CRDs", () => {
  const kinds = parseAllDocuments(renderCrds()).map((document) => definition.parse(document.toJS()).spec);

  it("describe every field of each kind with a type", () => {
    for (const { names, versions } of kinds)
      assert.deepEqual(listUntyped(versions[0].schema.openAPIV3Schema, names.kind), []);
  });

  it("the CRDs are in the category interlay, and each has a description", () => {
    for (const { names, versions } of kinds) {
      assert.deepEqual(names.categories, ["interlay"]);
      assert.match(String(versions[0].schema.openAPIV3Schema["description"]), /\.$/, names.kind);
    }
  });

  it("the CRDs have printer columns of fields that the schema has", () => {
    for (const { names, versions } of kinds)
      for (const { name, jsonPath } of versions[0].additionalPrinterColumns) {
        const steps = jsonPath
          .replace(/\[\?.*?\]/, ".[]")
          .split(".")
          .slice(1);
        if (steps[0] === "metadata") continue;
        let schema: unknown = versions[0].schema.openAPIV3Schema;
        for (const step of steps) {
          const { properties, items } = node.parse(schema);
          schema = step === "[]" ? items : properties?.[step];
          assert.ok(schema !== undefined, `${names.kind}: column ${name} reads ${jsonPath}`);
        }
      }
  });

  it("identify conditions by their type, and require nothing else of a status", () => {
    const text = insertStatusSchemas("            status: networkStatus()");
    assert.match(text, /x-kubernetes-list-type: map\n +x-kubernetes-list-map-keys:\n +- type/);
    assert.deepEqual(
      text.match(/required:\n(?: +- \w+\n)+/g)?.map((list) => list.match(/- \w+/g)),
      [["- type", "- status"]],
    );
  });

  it("reject the name of a schema that does not exist", () => {
    assert.throws(() => insertStatusSchemas("status: unknown()"), /no schema is named unknown/);
  });
});
