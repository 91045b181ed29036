import assert from "node:assert/strict";
import { findCycles, parseImports, readImports, toFolderEdges } from "./import-cycles.ts";
import { listFiles, ROOT } from "./language.ts";

const edge = (from: string, to: string) => ({ from, to });

describe("import cycles", () => {
  it("should be found through several files", () => {
    const edges = [edge("a.ts", "b.ts"), edge("b.ts", "c.ts"), edge("c.ts", "a.ts"), edge("c.ts", "d.ts")];
    assert.deepEqual(findCycles(edges), [["a.ts", "b.ts", "c.ts"]]);
    assert.deepEqual(findCycles(edges.slice(1)), []);
  });

  it("should be found between folders whose files have none", () => {
    const edges = [edge("a/1.ts", "b/1.ts"), edge("b/2.ts", "a/2.ts"), edge("a/1.ts", "a/2.ts")];
    assert.deepEqual(findCycles(edges), []);
    assert.deepEqual(findCycles(toFolderEdges(edges)), [["a", "b"]]);
  });

  it("should be read from imports, exports and dynamic imports", () => {
    const text = `import "./a.ts"; import type { B } from "./b.ts"; import { type C } from "./c.ts"; export { d } from "./d.ts";
      import zod from "zod"; const e = await import("./e.ts"); import { f, type G } from "../f.ts";`;
    assert.deepEqual(parseImports("x.ts", text), ["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "../f.ts"]);
  });
});

describe("the project's imports", () => {
  const edges = readImports(
    ROOT,
    listFiles("*.ts").filter((name) => !name.endsWith(".test.ts")),
  );

  it("should have no cycle between files, types included", () => {
    assert.ok(edges.length > 1000, "no imports were found");
    assert.deepEqual(findCycles(edges), []);
  });

  it("should have no cycle between folders, types included", () => {
    assert.deepEqual(findCycles(toFolderEdges(edges)), []);
  });
});
