import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { productSchema } from "./product.ts";

/** Keys of PRODUCT.yaml in github.com/cncf/k8s-conformance/blob/master/instructions.md. */
const CNCF_KEYS = [
  "vendor",
  "name",
  "version",
  "website_url",
  "repo_url",
  "documentation_url",
  "product_logo_url",
  "type",
  "description",
  "contact_email_address",
];

describe("the product file", () => {
  const minimal = { vendor: "Example", name: "Cloud", version: "1.0" };

  it("has an example with all keys of CNCF's product file", async () => {
    const text = await readFile(join(import.meta.dirname, "../../examples/product.yaml"), "utf8");
    assert.deepEqual(Object.keys(productSchema.parse(parse(text))), CNCF_KEYS);
  });

  it("needs only vendor, name and version", () => {
    assert.deepEqual(productSchema.parse(minimal), minimal);
    for (const key of Object.keys(minimal))
      assert.equal(productSchema.safeParse({ ...minimal, [key]: undefined }).success, false, key);
  });

  for (const [what, change] of Object.entries({
    "a URL without a scheme": { website_url: "example.com" },
    "a URL that runs a script": { product_logo_url: "javascript:alert(1)" },
    "an invalid address": { contact_email_address: "nobody" },
    "an unknown type": { type: "cloud" },
    "an unknown key": { website: "https://example.com" },
    "a version that YAML reads as a number": { version: 1.1 },
  }))
    it(`rejects ${what}`, () => {
      assert.equal(productSchema.safeParse({ ...minimal, ...change }).success, false);
    });
});
