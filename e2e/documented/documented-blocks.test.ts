import assert from "node:assert/strict";
import { DocumentedBlocks, parseCodeBlocks } from "./documented-blocks.ts";

const PAGE = [
  "1. **Install**",
  "",
  "   ```sh",
  "   helm install x \\",
  "     --set tag=TAG",
  "   ```",
  "",
  "```yaml",
  "kind: Pod",
  "spec: { image: REPOSITORY:TAG }",
  "```",
  "",
].join("\n");

describe("code blocks of a page", () => {
  it("are parsed with their language, and without the indentation of a list", () => {
    assert.deepEqual(parseCodeBlocks(PAGE), [
      { language: "sh", text: "helm install x \\\n  --set tag=TAG\n" },
      { language: "yaml", text: "kind: Pod\nspec: { image: REPOSITORY:TAG }\n" },
    ]);
  });

  it("get values for their placeholders only", () => {
    const blocks = new DocumentedBlocks(PAGE);
    assert.equal(blocks.read("kind: Pod", { TAG: "1" }), "kind: Pod\nspec: { image: REPOSITORY:1 }\n");
  });

  it("that were not read are listed by their first lines", () => {
    const blocks = new DocumentedBlocks(PAGE);
    blocks.read("kind:");
    assert.deepEqual(blocks.listUnused(), ["helm install x \\"]);
  });

  it("are rejected if none, or more than one, begins so", () => {
    assert.throws(() => new DocumentedBlocks(PAGE).read("kubectl"), /0 blocks .* "kubectl": one was expected/);
    assert.throws(() => new DocumentedBlocks(PAGE + PAGE).read("kind: Pod"), /2 blocks/);
  });
});
